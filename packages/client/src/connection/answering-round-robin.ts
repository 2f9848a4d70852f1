import { experimental, status } from '@grpc/grpc-js';
import { InstanceSilence } from './instance-silence.ts';

const { ChildLoadBalancerHandler, createChildChannelControlHelper, registerLoadBalancerType } = experimental;

const NAME = 'callpass_answering_round_robin';

/** Service config of a channel whose calls go round robin over the instances that answer. */
export const ANSWERING_ROUND_ROBIN = JSON.stringify({ loadBalancingConfig: [{ [NAME]: {} }] });

class Config implements experimental.TypedLoadBalancingConfig {
  getLoadBalancerName(): string {
    return NAME;
  }
  toJsonObject(): object {
    return { [NAME]: {} };
  }
  static createFromJson(): Config {
    return new Config();
  }
}

/**
 * Round robin of grpc-js that leaves out instances which are silent (see {@link InstanceSilence}), unless all are. The
 * outlier detection of gRPC (A50) is no substitute: it counts every status but OK as a failure, and here a refusal is a
 * proper answer, so it would eject instances because of visitors who are refused.
 */
class AnsweringRoundRobin implements experimental.LoadBalancer {
  readonly #child: experimental.ChildLoadBalancerHandler;
  readonly #instances = new Map<string, InstanceSilence>();

  constructor(helper: experimental.ChannelControlHelper) {
    this.#child = new ChildLoadBalancerHandler(
      createChildChannelControlHelper(helper, {
        updateState: (state, picker, error) => {
          helper.updateState(state, new AnsweringPicker(picker, this.#instances), error);
        },
      }),
    );
  }

  updateAddressList(
    ...[endpoints, , options, note]: Parameters<experimental.LoadBalancer['updateAddressList']>
  ): boolean {
    if (endpoints.ok) {
      const listed = new Set(
        endpoints.value.flatMap(({ addresses }) => addresses.map(experimental.subchannelAddressToString)),
      );
      for (const address of this.#instances.keys()) if (!listed.has(address)) this.#instances.delete(address);
      for (const address of listed)
        if (!this.#instances.has(address)) this.#instances.set(address, new InstanceSilence());
    }
    const roundRobin = experimental.parseLoadBalancingConfig({ round_robin: {} });
    return this.#child.updateAddressList(endpoints, roundRobin, options, note);
  }
  exitIdle(): void {
    this.#child.exitIdle();
  }
  resetBackoff(): void {
    this.#child.resetBackoff();
  }
  destroy(): void {
    this.#child.destroy();
  }
  getTypeName(): string {
    return NAME;
  }
}

class AnsweringPicker implements experimental.Picker {
  readonly #picker: experimental.Picker;
  readonly #instances: ReadonlyMap<string, InstanceSilence>;

  constructor(picker: experimental.Picker, instances: ReadonlyMap<string, InstanceSilence>) {
    this.#picker = picker;
    this.#instances = instances;
  }

  pick(args: experimental.PickArgs): experimental.PickResult {
    const nowMs = performance.now();
    for (let others = this.#instances.size - 1; ; others--) {
      const picked = this.#picker.pick(args);
      const instance = picked.subchannel && this.#instances.get(picked.subchannel.getAddress());
      if (!instance) return picked;
      if (others <= 0 || instance.takes(nowMs)) return observed(picked, instance);
    }
  }
}

function observed(picked: experimental.PickResult, instance: InstanceSilence): experimental.PickResult {
  return {
    ...picked,
    onCallStarted() {
      instance.started(performance.now());
      picked.onCallStarted?.();
    },
    onCallEnded(code, details, metadata) {
      if (code === status.CANCELLED || code === status.DEADLINE_EXCEEDED) instance.givenUp(performance.now());
      else instance.answered(performance.now());
      picked.onCallEnded?.(code, details, metadata);
    },
  };
}

registerLoadBalancerType(NAME, AnsweringRoundRobin, Config);

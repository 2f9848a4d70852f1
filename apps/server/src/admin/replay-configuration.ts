import type { Configuration as ConfigurationMessage } from '@callpass/contract';
import { commonTimeZone, findTimeZone, type ReplayStep, type Store } from '@callpass/domain';
import { invalidField, Refusal } from '../errors/refusal.ts';
import { LOCAL_PRINCIPAL } from '../state/principal.ts';
import type { Snapshot } from '../state/snapshot.ts';
import { loadWiped } from '../state/load-wiped.ts';
import { checkedConfiguration } from './configuration.ts';

/** Ports that a replay needs. It changes nothing through them. */
export interface ReplayDependencies {
  readonly state: { readonly snapshot: Snapshot };
  readonly store: Pick<Store, 'loadState' | 'replay'>;
}

/** A configuration to replay and the part of the past. Texts left out are empty. */
export interface ReplayRequest {
  readonly configuration: ConfigurationMessage;
  readonly startTimeMs: number | undefined;
  readonly destination: string;
  readonly timeZone: string;
}

/** Time after which it is worth asking again while another replay is under way: a million entries take some 10 s. */
const RETRY_AFTER_MS = 10_000;

/** Replays of configurations, one at a time: each has a thread and the counters of its limits. */
export class ConfigurationReplays {
  readonly #dependencies: ReplayDependencies;
  #running = false;

  constructor(dependencies: ReplayDependencies) {
    this.#dependencies = dependencies;
  }

  /**
   * Tries a configuration on what the ledger holds, with the progress after each step; the last step has the report. Ends early,
   * without a report, when the signal aborts.
   *
   * @throws {Refusal} `REQUEST_INVALID` for a document that could not be applied, before the ledger is read;
   *   `DESTINATION_UNKNOWN`; `OVERLOADED` while another replay is under way.
   */
  async *replay(request: ReplayRequest, signal: AbortSignal): AsyncGenerator<ReplayStep, void> {
    const plan = await this.#planOf(request);
    if (this.#running) {
      const message = 'another configuration is being replayed on this server; try again when that is done';
      throw new Refusal('OVERLOADED', { message, retryAfterMs: RETRY_AFTER_MS });
    }
    this.#running = true;
    try {
      for await (const step of this.#dependencies.store.replay(plan)) {
        if (signal.aborted) return;
        yield step;
      }
    } finally {
      this.#running = false;
    }
  }

  async #planOf(request: ReplayRequest): Promise<Parameters<Store['replay']>[0]> {
    const { state, store } = this.#dependencies;
    const { keys } = await loadWiped(store);
    const configuration = checkedConfiguration(request.configuration, keys);
    const destination = request.destination || undefined;
    const inForce = state.snapshot.configuration.destinations;
    if (destination !== undefined) {
      const known = [...configuration.destinations, ...inForce].some(({ id }) => id === destination);
      if (!known) throw new Refusal('DESTINATION_UNKNOWN');
    }
    const timeZone = request.timeZone || commonTimeZone(configuration, destination);
    if (!findTimeZone(timeZone)) throw invalidField('time_zone', 'is no name in the IANA database');
    return {
      configuration,
      inForce: inForce.map(({ id, account, callees }) => ({ id, account, callees: callees.slice(0, 1) })),
      activeRealms: keys.filter((key) => key.state === 'ACTIVE').map(({ realm }) => realm),
      trustedClients: [LOCAL_PRINCIPAL.client],
      startTimeMs: request.startTimeMs,
      destination,
      timeZone,
    };
  }
}

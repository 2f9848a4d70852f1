import type { MethodsTable, ServerCall, ServerInterceptor } from '@callpass/grpc-kit';
import { addSpanEvent, ATTR_SHED_CAUSE, EVENT_SHED } from '@callpass/telemetry';
import { Refusal } from '../errors/refusal.ts';
import type { MethodRow } from '../methods.ts';
import type { Admission } from './admission.ts';

const TOO_LONG = 'the call took longer than the server allows; what it asked for may have been done';

/**
 * Lets a call in or refuses it with OVERLOADED, before anything is done for it. Put it right inside telemetry.
 *
 * A call that answers once ends after `maxCallMs` at the latest, whatever deadline its client set or did not set: what it
 * started goes on and counts as under way until it has ended, but nobody waits for it any longer. Calls of operators take
 * what they take.
 */
export function admit(
  admission: Admission,
  methods: MethodsTable<MethodRow>,
  { maxCallMs }: { maxCallMs: number },
): ServerInterceptor {
  return (call, next) => {
    const { load } = methods.row(call.method);
    const remainingMs = remainingMsOf(call);
    const entered = admission.enter(load, remainingMs);
    if ('cause' in entered) {
      addSpanEvent(EVENT_SHED, { [ATTR_SHED_CAUSE]: entered.cause });
      throw new Refusal('OVERLOADED', { retryAfterMs: entered.retryAfterMs });
    }
    const running = next();
    const leave = () => {
      entered.leave();
    };
    running.then(leave, leave);
    if (load === 'OPERATE' || remainingMs <= maxCallMs || call.method.methodKind !== 'unary') return running;
    return within(maxCallMs, running, () => {
      const { cause, retryAfterMs } = admission.cutOff(load);
      addSpanEvent(EVENT_SHED, { [ATTR_SHED_CAUSE]: cause });
      return new Refusal('OVERLOADED', { message: TOO_LONG, retryAfterMs });
    });
  };
}

function remainingMsOf(call: ServerCall): number {
  const deadline = call.grpcCall.getDeadline();
  return (typeof deadline === 'number' ? deadline : deadline.getTime()) - Date.now();
}

function within(limitMs: number, running: Promise<void>, late: () => Refusal): Promise<void> {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => {
      reject(late());
    }, limitMs);
    void running.then(resolve, reject).finally(() => {
      clearTimeout(timer);
    });
  });
}

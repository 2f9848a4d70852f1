import { sessionOf, type MethodsTable, type ServerCall, type ServerInterceptor } from '@callpass/grpc-kit';
import { addSpanEvent, ATTR_SHED_CAUSE, EVENT_SHED } from '@callpass/telemetry';
import { Refusal } from '../errors/refusal.ts';
import type { MethodRow } from '../methods.ts';
import type { Admission } from './admission.ts';
import { TimeLimit } from './time-limit.ts';
import { WorkPerConnection } from './work-per-connection.ts';

const TOO_LONG = 'the call took longer than the server allows; what it asked for may have been done';
const TOO_MANY_OF_CONNECTION =
  'too many calls of this connection are under way, those included that its client has cancelled';
const CONNECTION_RETRY_MS = 1000;

/** Limits on one call and on one connection. */
export interface AdmissionLimits {
  readonly maxCallMs: number;
  readonly maxCallsPerConnection: number;
}

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
  { maxCallMs, maxCallsPerConnection }: AdmissionLimits,
): ServerInterceptor {
  const connections = new WorkPerConnection(maxCallsPerConnection);
  const timeLimit = new TimeLimit<ServerCall>(maxCallMs, (call) => {
    const { retryAfterMs } = admission.cutOff(methods.row(call.method).load);
    call.abandon(new Refusal('OVERLOADED', { message: TOO_LONG, retryAfterMs }));
  });
  return (call, next) => {
    const { load } = methods.row(call.method);
    const remainingMs = remainingMsOf(call);
    const connection = sessionOf(call.grpcCall);
    const place = connections.begin(connection, load);
    if (place === undefined) {
      admission.countShed(load, 'connection');
      addSpanEvent(EVENT_SHED, { [ATTR_SHED_CAUSE]: 'connection' });
      throw new Refusal('OVERLOADED', { message: TOO_MANY_OF_CONNECTION, retryAfterMs: CONNECTION_RETRY_MS });
    }
    const shed = admission.enter(load, remainingMs);
    if (shed !== undefined) {
      connections.end(connection, place);
      addSpanEvent(EVENT_SHED, { [ATTR_SHED_CAUSE]: shed.cause });
      throw new Refusal('OVERLOADED', { retryAfterMs: shed.retryAfterMs });
    }
    const startedAtMs = performance.now();
    const isLimited = load !== 'OPERATE' && remainingMs > maxCallMs && call.method.methodKind === 'unary';
    if (isLimited) timeLimit.begin(call);
    const leave = () => {
      if (isLimited) timeLimit.end(call);
      connections.end(connection, place);
      admission.leave(load, performance.now() - startedAtMs);
    };
    let running: Promise<void>;
    try {
      running = next(call);
    } catch (error) {
      leave();
      throw error;
    }
    running.then(leave, leave);
    return running;
  };
}

function remainingMsOf(call: ServerCall): number {
  const deadline = call.grpcCall.getDeadline();
  return (typeof deadline === 'number' ? deadline : deadline.getTime()) - Date.now();
}

import type { ServerInterceptor } from '@callpass/grpc-kit';
import { Refusal } from '../errors/refusal.ts';

const MESSAGE =
  'too many calls of this connection are under way, those included that its client has cancelled';
const RETRY_AFTER_MS = 1000;

/**
 * Holds each connection to a number of calls under way. HTTP/2 counts streams only: a call that is cancelled makes room for
 * the next one at once, while what it has begun goes on. So one client could take the places of all others.
 */
export function boundWorkPerConnection(max: number): ServerInterceptor {
  const underWay = new Map<string, number>();
  return (call, next) => {
    const peer = call.grpcCall.getPeer();
    const own = underWay.get(peer) ?? 0;
    if (own >= max) throw new Refusal('OVERLOADED', { message: MESSAGE, retryAfterMs: RETRY_AFTER_MS });
    underWay.set(peer, own + 1);
    const leave = () => {
      const left = (underWay.get(peer) ?? 0) - 1;
      if (left > 0) underWay.set(peer, left);
      else underWay.delete(peer);
    };
    const running = next();
    running.then(leave, leave);
    return running;
  };
}

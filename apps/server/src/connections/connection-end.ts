import { constants, type ServerHttp2Session } from 'node:http2';
import type { Socket } from 'node:net';
import { TLSSocket } from 'node:tls';

/** A client that has renewed its certificate gets so much time to connect with it before the old one is refused. */
const LEAD_MS = 5_000;
/** Connections that were made together do not end together. */
const JITTER = 0.1;
const LONGEST_TIMER_MS = 2 ** 31 - 1;
/** Calls that are on their way when the GOAWAY is sent are served too. */
const EVERY_STREAM = 2 ** 31 - 1;

/** Time for the statuses of calls that are cut off to reach their clients. */
export const LAST_STATUSES_MS = 500;

/** Ages of a connection, in ms, and the end of its calls. */
export interface ConnectionLife {
  /** Age at which it ends, more or less. */
  readonly maxAge: number;
  /** Time that calls under way have then. */
  readonly maxAgeGrace: number;
  /** Gives the calls of a connection, by its address and port, a status. */
  readonly cutOff: (peer: string) => void;
}

/**
 * Ends a connection that is old enough, or whose client certificate ends: GOAWAY 5 s before, so that the client connects with a
 * renewed one, or at the end itself if there is less time than twice that. Calls under way finish within the grace time; those
 * that do not are cut off.
 */
export function endInTime(
  session: ServerHttp2Session,
  { maxAge, maxAgeGrace, cutOff }: ConnectionLife,
): void {
  const certificateMs = certificateLeftMs(session);
  const ageMs = maxAge * (1 + JITTER * (2 * Math.random() - 1));
  const [leftMs, why] = certificateMs < ageMs ? [certificateMs, 'certificate_ends'] : [ageMs, 'max_age'];
  let timer: NodeJS.Timeout;
  const wait = (ms: number) => {
    timer = setTimeout(
      () => {
        if (ms > LONGEST_TIMER_MS) wait(ms - LONGEST_TIMER_MS);
        else end();
      },
      Math.min(ms, LONGEST_TIMER_MS),
    ).unref();
  };
  const end = () => {
    if (session.closed || session.destroyed) return;
    session.goaway(constants.NGHTTP2_NO_ERROR, EVERY_STREAM, Buffer.from(why));
    session.close();
    timer = setTimeout(() => {
      const { socket } = session as { readonly socket?: Socket };
      // What a Unix socket connects has no port that tells it from others.
      if (socket?.remotePort !== undefined) cutOff(`${socket.remoteAddress}:${socket.remotePort}`);
      timer = setTimeout(() => {
        // `destroy` of the session would reset streams without a status, which clients call INTERNAL.
        (session.socket as Socket | undefined)?.destroySoon();
      }, LAST_STATUSES_MS).unref();
    }, maxAgeGrace).unref();
  };
  session.once('close', () => {
    clearTimeout(timer);
  });
  wait(leftMs);
}

/** Time until the certificate of the client has to be renewed; infinite where it has none or one that is refused anyway. */
function certificateLeftMs({ socket }: { readonly socket?: unknown }): number {
  if (!(socket instanceof TLSSocket)) return Infinity;
  const certificate = socket.getPeerX509Certificate();
  if (certificate === undefined) return Infinity;
  const leftMs = certificate.validToDate.getTime() - Date.now();
  if (leftMs <= 0) return Infinity;
  return leftMs > 2 * LEAD_MS ? leftMs - LEAD_MS : leftMs;
}

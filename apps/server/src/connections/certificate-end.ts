import { constants, type ServerHttp2Session } from 'node:http2';
import { TLSSocket } from 'node:tls';

/** A client that has renewed its certificate gets so much time to connect with it before the old one is refused. */
const LEAD_MS = 5_000;
const LONGEST_TIMER_MS = 2 ** 31 - 1;
/** Calls that are on their way when the GOAWAY is sent are served too. */
const EVERY_STREAM = 2 ** 31 - 1;

/**
 * Ends a connection whose client certificate ends: GOAWAY 5 s before, so that the client connects with a renewed one, or at
 * the end itself if there is less time than twice that. Calls under way finish within the grace time.
 */
export function endWithCertificate(session: ServerHttp2Session, graceMs: number): void {
  const { socket } = session as { socket: unknown };
  if (!(socket instanceof TLSSocket)) return;
  const certificate = socket.getPeerX509Certificate();
  if (certificate === undefined) return;
  const leftMs = certificate.validToDate.getTime() - Date.now();
  if (leftMs <= 0) return;
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
    session.goaway(constants.NGHTTP2_NO_ERROR, EVERY_STREAM, Buffer.from('certificate_ends'));
    session.close();
    timer = setTimeout(() => {
      session.destroy();
    }, graceMs).unref();
  };
  session.once('close', () => {
    clearTimeout(timer);
  });
  wait(leftMs > 2 * LEAD_MS ? leftMs - LEAD_MS : leftMs);
}

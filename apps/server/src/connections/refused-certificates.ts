import type { TLSSocket } from 'node:tls';
import { http2ServersOf } from '@callpass/grpc-kit';
import type { Server } from '@grpc/grpc-js';
import type { Logger } from '@callpass/program/log';

const WINDOW_MS = 60_000;

/**
 * Says in the log which client certificates are no good where the settings insist on one: the connection ends before there
 * is a call, so neither a trace nor the ledger could. One line for each of OpenSSL's causes a minute, since whoever can
 * connect can make as many of these as they like.
 */
export function logRefusedCertificates(server: Server, log: Logger): void {
  const loggedAtMs = new Map<string, number>();
  const onRefused = (_error: Error, socket: TLSSocket) => {
    // The types say Error; it is OpenSSL's name of one, and nothing where something else went wrong.
    const fault = socket.authorizationError as unknown as string | null;
    const nowMs = performance.now();
    if (!fault || nowMs - (loggedAtMs.get(fault) ?? -Infinity) < WINDOW_MS) return;
    loggedAtMs.set(fault, nowMs);
    // The socket has forgotten its peer by now.
    log.warn({ fault }, 'a client certificate was refused in the handshake');
  };
  for (const http2Server of http2ServersOf(server)) http2Server.on('tlsClientError', onRefused);
}

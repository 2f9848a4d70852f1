import { randomBytes } from 'node:crypto';
import type { Socket } from 'node:net';
import { HEADERS } from '../plugin/exchange.ts';
import { EdgeProblem, PROBLEM_TYPE } from '../problems/problem.ts';
import type { EdgeReason } from '../problems/reasons.ts';

const REASONS: Readonly<Record<string, EdgeReason>> = {
  ERR_HTTP_REQUEST_TIMEOUT: 'REQUEST_TOO_SLOW',
  HPE_HEADER_OVERFLOW: 'HEADERS_TOO_LARGE',
};

/** Answers what is no HTTP, or comes too slowly, or too large, with a problem, and closes the connection. */
export function refuseConnection(error: NodeJS.ErrnoException, socket: Socket): void {
  if (error.code === 'ECONNRESET' || !socket.writable || socket.bytesWritten > 0) {
    socket.destroy();
    return;
  }
  const problem = new EdgeProblem(REASONS[error.code ?? ''] ?? 'REQUEST_INVALID');
  const body = JSON.stringify(problem.body(randomBytes(16).toString('hex')));
  const head = [
    `HTTP/1.1 ${problem.status} Refused`,
    `content-type: ${PROBLEM_TYPE}`,
    `content-length: ${Buffer.byteLength(body)}`,
    'connection: close',
    ...Object.entries(HEADERS).map(([name, value]) => `${name}: ${value}`),
  ];
  socket.end(`${head.join('\r\n')}\r\n\r\n${body}`, () => socket.destroy());
}

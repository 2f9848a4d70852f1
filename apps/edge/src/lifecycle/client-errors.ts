import { randomBytes } from 'node:crypto';
import type { Socket } from 'node:net';
import type { ProblemLink } from '@callpass/contract';
import { HEADERS } from '../plugin/exchange.ts';
import { corsHeaders, type Origins } from '../plugin/origins.ts';
import { EdgeProblem, PROBLEM_TYPE } from '../problems/problem.ts';
import type { EdgeReason } from '../problems/reasons.ts';
import type { LogUnrouted } from './access-log.ts';

const REASONS: Readonly<Record<string, EdgeReason>> = {
  ERR_HTTP_REQUEST_TIMEOUT: 'REQUEST_TOO_SLOW',
  HPE_HEADER_OVERFLOW: 'HEADERS_TOO_LARGE',
};

/** Error of Node's HTTP parser; it has the bytes that it was given last. */
interface ClientError extends NodeJS.ErrnoException {
  readonly rawPacket?: unknown;
}

/** Answers what is no HTTP, or comes too slowly, or too large, with a problem, and closes the connection. */
export function createRefuseConnection(
  origins: Pick<Origins, 'has'>,
  { linkTo, onRefused }: { readonly linkTo: ProblemLink; readonly onRefused: LogUnrouted },
): (error: ClientError, socket: Socket) => void {
  return (error, socket) => {
    if (error.code === 'ECONNRESET' || !socket.writable || socket.bytesWritten > 0) {
      socket.destroy();
      return;
    }
    const problem = new EdgeProblem(REASONS[error.code ?? ''] ?? 'REQUEST_INVALID');
    const traceId = randomBytes(16).toString('hex');
    const body = JSON.stringify(problem.body(traceId, linkTo));
    const headers = {
      'content-type': PROBLEM_TYPE,
      'content-length': Buffer.byteLength(body),
      date: new Date().toUTCString(),
      connection: 'close',
      ...HEADERS,
      ...corsHeaders(origins, originIn(error.rawPacket)),
    };
    const head = [
      `HTTP/1.1 ${problem.status} Refused`,
      ...Object.entries(headers).map(([name, value]) => `${name}: ${value}`),
    ];
    onRefused({ status: problem.status, reason: problem.reason, traceId });
    socket.end(`${head.join('\r\n')}\r\n\r\n${body}`, () => socket.destroy());
  };
}

/** `Origin` of a request that was not parsed. Only a listed one has an effect, so any text may be found here. */
function originIn(packet: unknown): string | undefined {
  return /\r\norigin:[ \t]*([^\r\n]*?)[ \t]*\r\n/i.exec(
    Buffer.isBuffer(packet) ? packet.toString('latin1') : '',
  )?.[1];
}

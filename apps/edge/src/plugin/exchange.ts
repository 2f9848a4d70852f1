import { randomBytes } from 'node:crypto';
import type { FastifyReply, FastifyRequest } from 'fastify';
import type { ProblemLink } from '@callpass/contract';
import { createCountedLines } from '@callpass/program';
import type { HttpExchange } from '@callpass/telemetry';
import { EdgeProblem, PROBLEM_TYPE, toProblem } from '../problems/problem.ts';

/** State of a request under way. */
export interface EdgeState {
  readonly http: HttpExchange;
  /** The visitor's id; set by the limits. */
  visitorId: string;
  /** Called when the browser goes away before it is answered. */
  onGone: (() => void) | undefined;
}

declare module 'fastify' {
  interface FastifyRequest {
    /** @internal State of `callpassEdge`; null outside its routes. */
    callpassEdge: EdgeState | null;
  }
}

/** The state that the plugin's first hook has set. */
export function stateOf(request: FastifyRequest): EdgeState {
  if (request.callpassEdge === null) throw new TypeError('not a request of callpassEdge');
  return request.callpassEdge;
}

/**
 * On every answer: nothing of it is kept, framed, sniffed or referred from. The answers are data, so the strictest policies
 * of the OWASP REST Security Cheat Sheet do. They never change, so they are written out and not made anew for each request.
 */
export const HEADERS = {
  'cache-control': 'no-store',
  'content-security-policy': "default-src 'none'; frame-ancestors 'none'",
  'referrer-policy': 'no-referrer',
  'x-content-type-options': 'nosniff',
  'x-frame-options': 'DENY',
} as const;

/** Over HTTPS browsers keep to it, for two years. */
export const STRICT_TRANSPORT = 'max-age=63072000';

/** Status of a request whose client went away before the answer, as proxies log it. */
export const CLIENT_CLOSED_REQUEST = 499;

/** The refusal that a request was answered with. */
export interface Refusal {
  readonly reason: string;
  readonly traceId: string;
}

const refusals = new WeakMap<FastifyRequest, Refusal>();

/** The refusal that a request was answered with, of the edge's routes or not; undefined for others. */
export function refusalOf(request: FastifyRequest): Refusal | undefined {
  return refusals.get(request);
}

const faultLines = createCountedLines();

/** Answers a request with the problem of what was thrown. */
export type SendProblem = (error: unknown, request: FastifyRequest, reply: FastifyReply) => FastifyReply;

/**
 * Creates the function that answers with a problem. What failed goes to the log, for each reason and route once a second with the
 * number, what was refused to its debug level; both without anything of the request.
 */
export function createSendProblem(linkTo: ProblemLink): SendProblem {
  return (error, request, reply) => {
    const problem = toProblem(error);
    const traceId = request.callpassEdge?.http.traceId ?? randomBytes(16).toString('hex');
    const body = problem.body(traceId, linkTo);
    refusals.set(request, { reason: problem.reason, traceId: String(body['traceId']) });
    logProblem(request, problem, body['traceId']);
    if (problem.retryAfterSeconds !== undefined) void reply.header('retry-after', problem.retryAfterSeconds);
    void reply.headers({ ...HEADERS, ...problem.details.headers });
    return reply.code(problem.status).type(PROBLEM_TYPE).send(body);
  };
}

function logProblem(request: FastifyRequest, problem: EdgeProblem, traceId: unknown): void {
  const { reason, status } = problem;
  const route = request.routeOptions.url;
  if (status < 500) {
    request.log.debug({ reason, status, route, traceId }, 'refused');
    return;
  }
  const fault = { reason, status, route, traceId, cause: describe(problem.cause) };
  faultLines.note(`${request.method} ${route} ${reason}`, (count) => {
    request.log.error(count === 1 ? fault : { ...fault, count }, 'failed');
  });
}

/** Kind and text of what failed. A refusal of Fastify may quote the request in its text, but is not logged as a fault. */
function describe(cause: unknown): { type: string; message: string } | undefined {
  return cause instanceof Error ? { type: cause.name, message: cause.message } : undefined;
}

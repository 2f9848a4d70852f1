import type { Grant } from '../call/credentials.ts';
import type { Problem } from '../call/problem.ts';

/** Response of the edge with status 200 that is not a grant. */
export class UnusableAnswer extends TypeError {}

/**
 * Parses a 200 of the edge to a grant. Times are converted to the visitor's clock, which is `aheadMs` ahead of the edge's.
 * Throws {@link UnusableAnswer} for any other response: the page must never call without a grant.
 */
export function readGrant(body: unknown, aheadMs: number, nowMs: number): Grant {
  const { callee, credentials, callOptions, refreshAt, expiresAt } = record(body);
  const tokens = record(credentials);
  const from = record(callOptions)['from'];
  if (typeof callee !== 'string' || typeof from !== 'string')
    throw new UnusableAnswer('the answer names no call');
  const names = Object.keys(tokens);
  const complete = ['accountToken', 'fromToken', 'toToken', 'realm'].every(
    (name) => typeof tokens[name] === 'string' && tokens[name] !== '',
  );
  if (names.length > 0 && !complete) throw new UnusableAnswer('the answer misses a token');
  const time = (value: unknown): number | undefined => {
    const ms = typeof value === 'string' ? Date.parse(value) : Number.NaN;
    return Number.isNaN(ms) ? undefined : ms + aheadMs;
  };
  return {
    callee,
    credentials: tokens as Readonly<Record<string, string>>,
    callOptions: { from },
    issuedAtMs: nowMs,
    refreshAtMs: time(refreshAt),
    expiresAtMs: time(expiresAt),
  };
}

/** Parses a refusal. A response that is no problem document has a status only. */
export function readProblem(status: number, body: unknown, retryAfter: string | null): Problem {
  const { reason, title, opensAt } = isRecord(body) ? body : {};
  const opensAtMs = typeof opensAt === 'string' ? Date.parse(opensAt) : Number.NaN;
  const seconds = retryAfter === null ? Number.NaN : Number(retryAfter);
  return {
    status,
    ...(typeof reason === 'string' ? { reason } : {}),
    ...(typeof title === 'string' ? { title } : {}),
    ...(Number.isNaN(opensAtMs) ? {} : { opensAtMs }),
    ...(seconds >= 0 ? { retryAfterMs: seconds * 1000 } : {}),
  };
}

function record(value: unknown): Record<string, unknown> {
  if (!isRecord(value)) throw new UnusableAnswer('the answer is not an object');
  return value;
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

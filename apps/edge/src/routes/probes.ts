import type { CredentialClient } from '@callpass/client';
import type { FastifyInstance } from 'fastify';
import { EdgeProblem, toProblem } from '../problems/problem.ts';
import type { ProblemRow } from '../problems/reasons.ts';
import { HEALTHZ, READYZ } from './schemas.ts';

const CACHE_MS = 1000;
const PROBE_LIMIT_MS = 1000;
const UNAVAILABLE = 503;
const RETRY_MS = 1000;

/** Parts that decide on readiness. */
export interface ReadinessParts {
  readonly client: Pick<CredentialClient, 'checkIssuing'>;
  /** Asks what else has to be so, before the service. */
  readonly isReady: () => Promise<boolean>;
}

/**
 * `GET /healthz`: the process answers. `GET /readyz`: it may issue, which the service confirms; otherwise a problem that says why
 * not. Asked at most once a second, however often the route is called.
 */
export function addProbes(scope: FastifyInstance, { client, isReady }: ReadinessParts): void {
  let closing = false;
  scope.addHook('preClose', async () => {
    closing = true;
  });
  const ask = remembered(async (): Promise<EdgeProblem | undefined> => {
    try {
      if (!(await within(PROBE_LIMIT_MS, isReady))) return new EdgeProblem('NOT_READY');
      await client.checkIssuing({}, { timeoutMs: PROBE_LIMIT_MS });
      return undefined;
    } catch (error) {
      return notReady(toProblem(error));
    }
  });
  scope.get('/healthz', { schema: HEALTHZ }, async () => ({ status: 'ok' }));
  scope.get('/readyz', { schema: READYZ }, async () => {
    const problem = closing ? new EdgeProblem('NOT_READY') : await ask();
    if (problem !== undefined) throw problem;
    return { status: 'ready' };
  });
}

/** The problem of a service that does not issue for this edge, whatever status a visitor would get for it. */
function notReady({ reason, row, details }: EdgeProblem): EdgeProblem {
  const title =
    reason === 'CLIENT_NOT_GRANTED'
      ? 'the service grants this edge no destination; its operator has to grant one'
      : row.title;
  const forProbe: ProblemRow = { status: UNAVAILABLE, title, retryAfterMs: RETRY_MS };
  return new EdgeProblem(reason, { ...details, row: forProbe });
}

/** Asks at most once a second, however often it is called. */
function remembered<T>(ask: () => Promise<T>): () => Promise<T> {
  let answer: Promise<T> | undefined;
  let askedAtMs = -Infinity;
  return () => {
    const nowMs = performance.now();
    if (answer === undefined || nowMs - askedAtMs >= CACHE_MS) {
      askedAtMs = nowMs;
      answer = ask();
    }
    return answer;
  };
}

/** No answer, or a failure, is no. */
async function within(limitMs: number, ask: () => Promise<boolean>): Promise<boolean> {
  const limit = Promise.withResolvers<boolean>();
  const timer = setTimeout(limit.resolve, limitMs, false);
  try {
    return await Promise.race([ask(), limit.promise]);
  } catch {
    return false;
  } finally {
    clearTimeout(timer);
  }
}

import type { FastifyInstance } from 'fastify';
import { PROBE } from './schemas.ts';

const CACHE_MS = 1000;
const PROBE_LIMIT_MS = 1000;

/** `GET /healthz`: the process answers. `GET /readyz`: it is worth being sent requests. Neither says why not: that is in the log. */
export function addProbes(scope: FastifyInstance, isReady: () => Promise<boolean>): void {
  let closing = false;
  scope.addHook('preClose', async () => {
    closing = true;
  });
  const ask = remembered(() => within(PROBE_LIMIT_MS, isReady));
  scope.get('/healthz', { schema: PROBE }, async () => ({ status: 'ok' }));
  scope.get('/readyz', { schema: PROBE }, async (_request, reply) => {
    if (!closing && (await ask())) return { status: 'ready' };
    return reply.code(503).send({ status: 'not ready' });
  });
}

/** Asks at most once a second, however often it is called. */
function remembered(ask: () => Promise<boolean>): () => Promise<boolean> {
  let answer: Promise<boolean> | undefined;
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

import { createHmac, hkdfSync, randomBytes } from 'node:crypto';
import { createRequestLines } from '@callpass/program';
import type { Logger } from '@callpass/program/log';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { CLIENT_CLOSED_REQUEST, refusalOf, type Refusal } from '../plugin/exchange.ts';
import type { Settings } from '../settings/schema.ts';

/** Refusal of what no route has taken, or of what was no request and so has no method. */
export interface UnroutedRefusal extends Partial<Refusal> {
  readonly method?: string;
  readonly status: number;
}

/** Writes the line of a refusal that no hook hears of. */
export type LogUnrouted = (refused: UnroutedRefusal) => void;

const FIRST_REFUSAL = 400;
const HASH_HEX_DIGITS = 32;

/**
 * One line for each request, or for those that were refused, or none, by `log.requests`: method, route, status, reason, time, trace
 * and visitor. With `refused`, those that are alike in method, route, status and reason have one line a second, with their number. The visitor is a hash with a key that is derived from the first visitor secret, so it is the same on all
 * instances, and cannot be tried without the secret. A path, a query, an address or a header is never in a line.
 */
export function logRequests(
  app: FastifyInstance,
  { log: { requests } }: Pick<Settings, 'log'>,
  log: Logger,
  visitorSecret: string = randomBytes(32).toString('hex'),
): LogUnrouted {
  if (requests === 'off') return () => undefined;
  const key = Buffer.from(hkdfSync('sha256', visitorSecret, '', 'callpass edge visitor in the log', 32));
  const nameOf = (visitorId: string) =>
    createHmac('sha256', key).update(visitorId).digest('hex').slice(0, HASH_HEX_DIGITS);
  const logged = new WeakSet<FastifyRequest>();

  const { write: writeLine, flush } = createRequestLines(log, { each: requests === 'all' });
  app.addHook('onClose', async () => {
    flush();
  });
  const write = (request: FastifyRequest, reply: FastifyReply, status: number) => {
    if (requests === 'refused' && status < FIRST_REFUSAL) return;
    // The level may change while the edge serves.
    if (!log.isLevelEnabled('info') || logged.has(request)) return;
    logged.add(request);
    const state = request.callpassEdge;
    const refusal = refusalOf(request);
    const { url: route } = request.routeOptions;
    writeLine(
      {
        method: request.method,
        ...(route !== undefined && { route }),
        status,
        ...(refusal && { reason: refusal.reason }),
      },
      {
        durationMs: Math.round(reply.elapsedTime * 1000) / 1000,
        traceId: refusal?.traceId ?? state?.http.traceId,
        visitor: state?.visitorId ? nameOf(state.visitorId) : undefined,
      },
    );
  };
  const replies = new WeakMap<FastifyRequest, FastifyReply>();
  app.addHook('onRequest', async (request, reply) => {
    replies.set(request, reply);
  });
  app.addHook('onRequestAbort', async (request) => {
    const reply = replies.get(request);
    if (reply !== undefined) write(request, reply, CLIENT_CLOSED_REQUEST);
  });
  app.addHook('onResponse', async (request, reply) => {
    write(request, reply, reply.statusCode);
  });
  return ({ traceId, ...alike }) => {
    writeLine(alike, { traceId });
  };
}

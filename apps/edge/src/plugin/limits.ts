import rateLimit from '@fastify/rate-limit';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { EdgeProblem } from '../problems/problem.ts';
import type { Proxies } from '../visitor/proxies.ts';
import type { Visitor } from '../visitor/visitor.ts';
import { stateOf } from './exchange.ts';
import type { EdgeLimits } from './options.ts';

/** Number of addresses and of visitors that are counted at a time; the least recent are forgotten first. */
const COUNTED = 50_000;
const IPV6_PREFIX = 64;

/** Checks of the edge, as hooks for routes. */
export interface Limits {
  /** Counts the address. */
  readonly address: (request: FastifyRequest) => Promise<void>;
  /** Recognises the visitor, sets their cookie, and counts those who were recognised: the others have their address only. */
  readonly visitor: (request: FastifyRequest, reply: FastifyReply) => Promise<void>;
}

/** Registers the counters in the scope of the plugin. */
export async function createLimits(
  scope: FastifyInstance,
  parts: { limits: EdgeLimits; proxies: Proxies; visitorOf: (request: FastifyRequest['raw']) => Visitor },
): Promise<Limits> {
  const { limits, proxies, visitorOf } = parts;
  await scope.register(rateLimit, { global: false, cache: COUNTED });
  const timeWindow = limits.windowMs;
  const countAddress = scope.createRateLimit({
    max: limits.perAddress,
    timeWindow,
    keyGenerator: ({ raw }) => rateLimit.normalizeIP(proxies.addressOf(raw), IPV6_PREFIX),
  });
  const countVisitor = scope.createRateLimit({
    max: limits.perVisitor,
    timeWindow,
    keyGenerator: (request) => stateOf(request).visitorId,
  });
  const refuseAbove = async (counted: ReturnType<typeof countAddress>) => {
    const count = await counted;
    if (!count.isAllowed && count.isExceeded) {
      throw new EdgeProblem('TOO_MANY_REQUESTS', { retryAfterMs: count.ttl });
    }
  };
  return {
    address: (request) => refuseAbove(countAddress(request)),
    async visitor(request, reply) {
      const { id, isNew, setCookie } = visitorOf(request.raw);
      stateOf(request).visitorId = id;
      if (setCookie !== undefined) void reply.header('set-cookie', setCookie);
      if (!isNew) await refuseAbove(countVisitor(request));
    },
  };
}

import type { FastifyReply, FastifyRequest } from 'fastify';
import { EdgeProblem } from '../problems/problem.ts';
import { holderOf, siteOf } from '../visitor/address.ts';
import type { Proxies } from '../visitor/proxies.ts';
import type { Visitor } from '../visitor/visitor.ts';
import { stateOf } from './exchange.ts';
import type { EdgeLimits } from './options.ts';
import { WindowCounter, type Counted } from './window-counter.ts';

/** Number of addresses and of visitors that are counted each by itself at a time. */
const COUNTED = 50_000;

/** Checks of the edge, as hooks for routes. */
export interface Limits {
  /** Counts the address. */
  readonly address: (request: FastifyRequest) => Promise<void>;
  /** Recognises the visitor, sets their cookie, and counts those who were recognised: the others have their address only. */
  readonly visitor: (request: FastifyRequest, reply: FastifyReply) => Promise<void>;
}

/** Creates the counters. */
export function createLimits(parts: {
  limits: EdgeLimits;
  proxies: Proxies;
  visitorOf: (request: FastifyRequest['raw']) => Visitor;
}): Limits {
  const { limits, proxies, visitorOf } = parts;
  const { windowMs, perAddress, perVisitor } = limits;
  const addresses = new WindowCounter({ windowMs, maxKeys: COUNTED, widen: siteOf });
  const visitors = new WindowCounter({ windowMs, maxKeys: COUNTED });
  return {
    async address({ raw }) {
      refuseAbove(perAddress, addresses.count(holderOf(proxies.addressOf(raw))));
    },
    async visitor(request, reply) {
      const { id, isNew, setCookie } = visitorOf(request.raw);
      stateOf(request).visitorId = id;
      if (setCookie !== undefined) void reply.header('set-cookie', setCookie);
      if (!isNew) refuseAbove(perVisitor, visitors.count(id));
    },
  };
}

function refuseAbove(limit: number, { count, leftMs }: Counted): void {
  if (count > limit) throw new EdgeProblem('TOO_MANY_REQUESTS', { retryAfterMs: leftMs });
}

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
  readonly countAddress: (request: FastifyRequest, reply: FastifyReply) => void;
  /** Recognises the visitor, sets their cookie, and counts those who were recognised: the others have their address only. */
  readonly countVisitor: (request: FastifyRequest, reply: FastifyReply) => void;
}

/**
 * Creates the counters. Each answer says what is left of the limits that its request was counted in, before they are reached
 * too: `RateLimit` and `RateLimit-Policy` (draft-ietf-httpapi-ratelimit-headers-10).
 */
export function createLimits(parts: {
  limits: EdgeLimits;
  proxies: Proxies;
  visitorOf: (request: FastifyRequest['raw']) => Visitor;
}): Limits {
  const { limits, proxies, visitorOf } = parts;
  const { windowMs, perAddress, perVisitor } = limits;
  const addresses = new WindowCounter({ windowMs, maxKeys: COUNTED, widen: siteOf });
  const visitors = new WindowCounter({ windowMs, maxKeys: COUNTED });
  const windowSeconds = Math.ceil(windowMs / 1000);
  const addressPolicy = `"address";q=${perAddress};w=${windowSeconds}`;
  const policies = `${addressPolicy}, "visitor";q=${perVisitor};w=${windowSeconds}`;
  return {
    countAddress({ raw }, reply) {
      const counted = addresses.count(holderOf(proxies.addressOf(raw)));
      void reply
        .header('ratelimit-policy', addressPolicy)
        .header('ratelimit', leftOf('address', perAddress, counted));
      refuseAbove(perAddress, counted);
    },
    countVisitor(request, reply) {
      const { id, isNew, setCookie } = visitorOf(request.raw);
      stateOf(request).visitorId = id;
      if (setCookie !== undefined) void reply.header('set-cookie', setCookie);
      if (isNew) return;
      const counted = visitors.count(id);
      const left = `${String(reply.getHeader('ratelimit'))}, ${leftOf('visitor', perVisitor, counted)}`;
      void reply.header('ratelimit-policy', policies).header('ratelimit', left);
      refuseAbove(perVisitor, counted);
    },
  };
}

/** Requests that are left of a limit, and seconds to the end of its window. */
function leftOf(name: string, limit: number, { count, leftMs }: Counted): string {
  return `"${name}";r=${Math.max(0, limit - count)};t=${Math.ceil(leftMs / 1000)}`;
}

function refuseAbove(limit: number, { count, leftMs }: Counted): void {
  if (count > limit) throw new EdgeProblem('TOO_MANY_REQUESTS', { retryAfterMs: leftMs });
}

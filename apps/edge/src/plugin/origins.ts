import type { FastifyRequest } from 'fastify';
import { EdgeProblem } from '../problems/problem.ts';
import type { Proxies } from '../visitor/proxies.ts';

/** Which pages may ask. */
export interface Origins {
  /** Checks if a page of this origin may read answers. */
  has(origin: string | undefined): boolean;
  /**
   * Refuses what a page of another origin has sent. A browser would keep the answer from that page, but by then it is issued
   * and counted against the visitor. Programs send no origin and pass.
   */
  assertMayAsk(request: FastifyRequest): void;
}

/** Headers of answers that pages may read. `date` tells a page how its clock differs. */
export const EXPOSED_HEADERS = ['retry-after', 'date', 'ratelimit', 'ratelimit-policy'];

/** The CORS headers of an answer outside the edge's routes, where no hook sets them. */
export function corsHeaders(
  origins: Pick<Origins, 'has'>,
  origin: string | undefined,
): Record<string, string> {
  if (origin === undefined || !origins.has(origin)) return { vary: 'Origin' };
  return {
    vary: 'Origin',
    'access-control-allow-origin': origin,
    'access-control-allow-credentials': 'true',
    'access-control-expose-headers': EXPOSED_HEADERS.join(', '),
  };
}

/** Throws TypeError on what is no origin, such as a URL with a path, so that a slip is not found by visitors. */
export function createOrigins(listed: readonly string[], proxies: Proxies): Origins {
  for (const origin of listed) {
    if (canonicalOrigin(origin) !== origin) {
      throw new TypeError(
        `origins: not an origin: ${origin.slice(0, 128)}; give scheme, host and port with nothing behind, such as https://www.example.org`,
      );
    }
  }
  const known = new Set(listed);
  return {
    has: (origin) => origin !== undefined && known.has(origin),
    assertMayAsk({ raw }) {
      const { origin, host } = raw.headers;
      if (origin !== undefined) {
        if (known.has(origin) || isOwn(origin, `${proxies.schemeOf(raw)}://${host}`)) return;
        throw new EdgeProblem('ORIGIN_NOT_ALLOWED');
      }
      // Images, links and no-cors requests of other sites carry no origin, but newer browsers say which site they come from.
      const site = raw.headers['sec-fetch-site'];
      if (site === 'cross-site' || site === 'same-site') throw new EdgeProblem('ORIGIN_NOT_ALLOWED');
    },
  };
}

/** Compares origins as browsers do (RFC 6454, 4 and 5): scheme and host without case, and a default port is none (RFC 9110, 4.2.3). */
function isOwn(origin: string, own: string): boolean {
  if (origin === own) return true;
  const canonical = canonicalOrigin(own);
  return canonical !== undefined && canonical === canonicalOrigin(origin);
}

/** Scheme, host and port in their one form; `undefined` for what is no origin or has something behind it. */
function canonicalOrigin(text: string): string | undefined {
  const { protocol, origin, href } = URL.parse(text) ?? {};
  if (protocol !== 'http:' && protocol !== 'https:') return undefined;
  return href === `${origin}/` && !/[\\/?#]$|\s/.test(text) ? origin : undefined;
}

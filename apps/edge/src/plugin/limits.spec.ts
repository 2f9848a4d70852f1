import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeEach, describe, expect, it } from '@jest/globals';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { createLimits, type Limits } from './limits.ts';

const GUIDE = readFileSync(join(import.meta.dirname, '../../../../docs/guides/edge.md'), 'utf8');
/** Addresses and visitors that the guide says are counted by themselves. */
const [ADDRESSES, VISITORS] = [
  ...(/counts ([\d,]+) addresses and ([\d,]+) visitors by themselves/.exec(GUIDE) ?? []),
]
  .slice(1)
  .map((number) => Number(number.replace(',', ''))) as [number, number];
/** Beyond them, new ones share so many windows. */
const SHARED = 4096;

const REPLY = { header: () => REPLY, getHeader: () => '' } as unknown as FastifyReply;
const asAddress = (at: number) => `10.${at >> 16}.${(at >> 8) & 255}.${at & 255}`;

let limits: Limits;
beforeEach(() => {
  limits = createLimits({
    limits: { windowMs: 600_000, perAddress: 1, perVisitor: 1 },
    proxies: { addressOf: (raw: unknown) => raw } as never,
    visitorOf: (raw: unknown) => ({ id: raw, isNew: false, setCookie: undefined }) as never,
  });
});

/** Tests that a request is within the limit of its address or visitor. */
function passes(count: 'countAddress' | 'countVisitor', who: string): boolean {
  try {
    limits[count]({ raw: who, callpassEdge: {} } as unknown as FastifyRequest, REPLY);
    return true;
  } catch {
    return false;
  }
}

describe('the limits of an edge', () => {
  it('count as many addresses by themselves as the guide says, forget none, and count new ones beyond them by their site', () => {
    const address = (who: string) => passes('countAddress', who);
    const own = Array.from({ length: ADDRESSES }, (_, at) => asAddress(at));
    expect(own.filter((who) => !address(who))).toEqual([]);
    expect(address('192.0.2.1')).toBe(true);
    expect(['192.0.2.2', '192.0.2.255'].map(address)).toEqual([false, false]);
    const ofSite = (network: number) => address(`2001:db8:1:${network}:0:0:0:1`);
    expect([2, 2, 3].map(ofSite)).toEqual([true, false, false]);
    expect(own.filter(address)).toEqual([]);
  });

  it('count as many visitors by themselves as the guide says, forget none, and count new ones beyond them together', () => {
    const visitor = (who: string) => passes('countVisitor', who);
    const own = Array.from({ length: VISITORS }, (_, at) => `visitor ${at}`);
    expect(own.filter((who) => !visitor(who))).toEqual([]);
    const others = Array.from({ length: 2 * SHARED }, (_, at) => `other ${at}`);
    expect(others.filter(visitor).length).toBeLessThanOrEqual(SHARED);
    expect(own.filter(visitor)).toEqual([]);
    expect(others.filter(visitor)).toEqual([]);
  });
});

import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import type { Destination, Limit, LimitScope } from '../realm/configuration.ts';
import { LIMIT_SCOPES } from './limit-scopes.ts';
import { limitKeys } from './limits.ts';
import { compileDestination } from './rules.ts';

const SCOPES: LimitScope[] = ['SUBJECT', 'CLIENT', 'DESTINATION', 'REALM', 'OVERALL'];
const PAGE = join(import.meta.dirname, '../../../../docs/moderation.md');
const WHO = { client: 'web-edge', subjectHash: '00112233445566778899aabbccddeeff' };

const limit = (per: LimitScope, changes: Partial<Limit> = {}): Limit => ({
  per,
  max: 5,
  windowMs: 60_000,
  shadow: false,
  whenUnavailable: 'REFUSE',
  ...changes,
});

function keysOf(changes: Partial<Destination>, who = WHO): string[] {
  const destination: Destination = {
    id: 'support',
    realm: 'support.example',
    account: 'anonymous@kandy.example',
    callees: ['support@kandy.example'],
    callers: [],
    enabled: true,
    requireSubject: false,
    hours: undefined,
    limits: SCOPES.map((per) => limit(per)),
    ...changes,
  };
  return limitKeys(compileDestination(destination), who).map((check) => check.key);
}

describe('limitKeys', () => {
  it('gives name, key, number, window and shadow of each limit, in order', () => {
    const destination = {
      id: 'support',
      realm: 'r',
      limits: [limit('SUBJECT'), limit('OVERALL', { shadow: true, whenUnavailable: 'ALLOW' })],
    };
    expect(limitKeys(compileDestination(destination as unknown as Destination), WHO)).toEqual([
      {
        name: 'limits[0] per SUBJECT',
        key: 'SUBJECT/60000/support/00112233445566778899aabbccddeeff',
        max: 5,
        windowMs: 60_000,
        shadow: false,
        whenUnavailable: 'REFUSE',
      },
      {
        name: 'limits[1] per OVERALL',
        key: 'OVERALL/60000',
        max: 5,
        windowMs: 60_000,
        shadow: true,
        whenUnavailable: 'ALLOW',
      },
    ]);
  });

  it('leaves SUBJECT out when no subject is named, and keeps the names of the others', () => {
    expect(keysOf({}, { ...WHO, subjectHash: '' })).toEqual([
      'CLIENT/60000/support/web-edge',
      'DESTINATION/60000/support',
      'REALM/60000/support.example',
      'OVERALL/60000',
    ]);
  });

  it('leaves REALM out for unrestricted calls and counts all the rest', () => {
    expect(keysOf({ realm: undefined })).toHaveLength(4);
  });

  it('shares counters between destinations for REALM and OVERALL only', () => {
    const [first, second] = [keysOf({}), keysOf({ id: 'sales' })];
    expect(first.filter((key) => second.includes(key))).toEqual([
      'REALM/60000/support.example',
      'OVERALL/60000',
    ]);
  });

  it('counts windows of different length apart, and keeps what was counted when the number changes', () => {
    const key = (changes: Partial<Limit>) => keysOf({ limits: [limit('DESTINATION', changes)] })[0];
    expect(key({ windowMs: 1000 })).not.toBe(key({}));
    expect(key({ max: 6 })).toBe(key({}));
  });

  it('never gives two counters the same key', () => {
    const id = fc.stringMatching(/^[ab][ab.-]?$/);
    const counter = fc.record({ id, realm: fc.stringMatching(/^[ab/]{1,3}$/), client: id, subjectHash: id });
    const counted = (c: { id: string; realm: string; client: string; subjectHash: string }): string[] => [
      JSON.stringify([c.id, c.subjectHash]),
      JSON.stringify([c.id, c.client]),
      c.id,
      c.realm,
      '',
    ];
    fc.assert(
      fc.property(counter, counter, (a, b) => {
        const [keysOfA, keysOfB] = [keysOf(a, a), keysOf(b, b)];
        keysOfA.forEach((keyOfA, i) => {
          keysOfB.forEach((keyOfB, j) => {
            expect(keyOfA === keyOfB).toBe(i === j && counted(a)[i] === counted(b)[j]);
          });
        });
      }),
    );
  });
});

it('limit scopes have a row in docs/moderation.md each, and none besides', () => {
  const table = /\| per [^]*?\n\n/.exec(readFileSync(PAGE, 'utf8'))?.[0] ?? '';
  const rows = [...table.matchAll(/^\| `([A-Z]+)`/gm)].map(([, scope]) => scope);
  expect(rows).toEqual(Object.keys(LIMIT_SCOPES));
});

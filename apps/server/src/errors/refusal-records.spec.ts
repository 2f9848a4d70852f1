import type { EntryDraft } from '@callpass/domain';
import { describe, expect, it } from '@jest/globals';
import { pino } from 'pino';
import { LOCAL_PRINCIPAL } from '../state/principal.ts';
import { MAX_ALIKE, MAX_KINDS, RefusalRecords, type Caller, type RefusedRequest } from './refusal-records.ts';
import { Refusal } from './refusal.ts';

function start(write: () => Promise<unknown> = () => Promise.resolve()) {
  const entries: EntryDraft[] = [];
  const lines: string[] = [];
  const records = new RefusalRecords({
    store: {
      record: async (entry) => {
        entries.push(entry);
        await write();
        return { outcome: 'recorded' };
      },
    },
    clock: { now: () => 1000 },
    state: { snapshot: { revision: 7 } },
    log: pino({ level: 'info' }, { write: (line: string) => lines.push(line) }),
  });
  return { records, entries, lines };
}

const from = (client: string, peer = '10.0.0.1:5000', methodName = 'a.B/C'): Caller => ({
  principal: { ...LOCAL_PRINCIPAL, client },
  call: { peer, methodName },
});
const frozen = new Refusal('FROZEN', { rule: 'freeze REALM' });
const notGranted = new Refusal('CLIENT_NOT_GRANTED', { rule: 'grant' });

describe('refusals that are alike', () => {
  it('have ten entries and one with the number of the others', async () => {
    const { records, entries } = start();
    const asked = { destination: 'line', realm: 'r', callee: 'a@x.example' };
    for (let n = 0; n < 10_000; n++) await records.record(from('one'), frozen, asked);
    expect(entries).toHaveLength(MAX_ALIKE);
    expect(entries[0]).toMatchObject({
      kind: 'REFUSED',
      client: 'one',
      reason: 'FROZEN',
      timeMs: 1000,
      ...asked,
    });
    await records.flush();
    expect(entries).toHaveLength(MAX_ALIKE + 1);
    const { callee: _theirs, ...same } = asked;
    expect(entries.at(-1)).toEqual({
      kind: 'REFUSED',
      timeMs: 1000,
      client: 'one',
      reason: 'FROZEN',
      rule: 'freeze REALM, 9990 more within a minute',
      configurationRevision: 7,
      ...same,
    });
  });

  it('begin anew after a window, and leave nothing where none was only counted', async () => {
    const { records, entries } = start();
    for (let round = 0; round < 3; round++) {
      for (let n = 0; n < MAX_ALIKE; n++) await records.record(from('one'), frozen, { destination: 'line' });
      await records.flush();
    }
    expect(entries).toHaveLength(3 * MAX_ALIKE);
  });

  it('are told apart by client, reason, rule, destination, RPC and address of the peer, not by its port', async () => {
    const { records, entries } = start();
    const kinds: [Caller, Refusal, RefusedRequest?][] = [
      [from('one'), frozen, { destination: 'line' }],
      [from('two'), frozen, { destination: 'line' }],
      [from('one'), frozen, { destination: 'lobby' }],
      [from('one'), new Refusal('FROZEN', { rule: 'freeze CLIENT' }), { destination: 'line' }],
      [from('one'), new Refusal('LIMIT_EXCEEDED', { rule: 'freeze REALM' }), { destination: 'line' }],
      [from('one', '10.0.0.2:5000'), frozen, { destination: 'line' }],
      [from('one'), new Refusal('CLIENT_NOT_GRANTED', { rule: 'role OPERATOR' })],
      [from('one', '10.0.0.1:5000', 'a.B/D'), new Refusal('CLIENT_NOT_GRANTED', { rule: 'role OPERATOR' })],
    ];
    for (const kind of kinds) for (let n = 0; n < MAX_ALIKE + 5; n++) await records.record(...kind);
    for (let port = 1; port < 100; port++)
      await records.record(from('one', `10.0.0.1:${port}`), frozen, { destination: 'line' });
    await records.flush();
    expect(entries).toHaveLength(kinds.length * (MAX_ALIKE + 1));
  });

  it.each<[string, (n: number) => [Caller, Refusal, RefusedRequest]]>([
    ['a made-up destination each', (n) => [from('one'), notGranted, { destination: `made-up-${n}` }]],
    ['a made-up realm each', (n) => [from('one'), notGranted, { realm: `made-up-${n}` }]],
    [
      'another address of one network each',
      (n) => [from('one', `[2001:db8::${n.toString(16)}]:7`), frozen, { destination: 'line' }],
    ],
  ])('are so with %s', async (_what, nth) => {
    const { records, entries } = start();
    for (let n = 0; n < 1000; n++) await records.record(...nth(n));
    await records.flush();
    expect(entries).toHaveLength(MAX_ALIKE + 1);
  });

  it('cannot be made so different that memory or the ledger grows without a bound', async () => {
    const { records, entries } = start();
    for (let n = 0; n < 20 * MAX_KINDS; n++)
      await records.record(from('one', `10.${n >> 16}.${(n >> 8) & 255}.${n & 255}:1`), frozen, {
        destination: 'line',
      });
    await records.flush();
    expect(entries.length).toBeLessThanOrEqual((MAX_KINDS + 1) * (MAX_ALIKE + 1));
    expect(entries.at(-1)?.rule).toMatch(/^\d+ more within a minute$/);
  });
});

describe('without the ledger', () => {
  it('a refusal with an entry of its own fails, and those that are counted are in the log', async () => {
    const { records, lines } = start(() => Promise.reject(new Error('disk full')));
    for (let n = 0; n < MAX_ALIKE; n++)
      await expect(records.record(from('one'), frozen)).rejects.toThrow('disk full');
    await expect(records.record(from('one'), frozen)).resolves.toBeUndefined();
    await expect(records.flush()).resolves.toBeUndefined();
    expect(lines.join('')).toContain('not in the ledger');
  });
});

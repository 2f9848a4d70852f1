import { describe, expect, it } from '@jest/globals';
import { canonicalBytes, draftEntry, type StateChange } from '@callpass/domain';
import { sampleEntry } from '@callpass/testkit';
import { assertRecordable, decodeBatch, encodeBatch } from './batch-codec.ts';

const ANSWER: StateChange = {
  kind: 'rememberAnswer',
  client: 'web-edge',
  requestId: '8d0f',
  bodyHash: new Uint8Array(32),
  answer: new Uint8Array(3),
  nowMs: 1,
  expireTimeMs: 2,
};

describe('a batch on its way to the thread', () => {
  it('arrives with every field, fingerprint and change at its entry', () => {
    const items = [
      { entry: sampleEntry({ issuanceId: 'with fingerprints' }), change: undefined },
      { entry: draftEntry({ kind: 'FROZEN', timeMs: 5, client: 'operator' }), change: undefined },
      { entry: sampleEntry({ issuanceId: 'with a change' }), change: ANSWER },
    ];
    const arrived = decodeBatch(structuredClone(encodeBatch(items, 100)));
    expect(arrived).toHaveLength(3);
    items.forEach(({ entry, change }, index) => {
      const got = arrived[index];
      expect(got && Buffer.from(canonicalBytes('w', 1, got.entry)).toString('hex')).toBe(
        Buffer.from(canonicalBytes('w', 1, entry)).toString('hex'),
      );
      expect(got?.change?.kind).toBe(change?.kind);
    });
  });

  it('carries no text that a database would give back otherwise', () => {
    const entry = sampleEntry({ reason: 'a\0b', rule: 'half \ud800' });
    const [item] = decodeBatch(encodeBatch([{ entry, change: undefined }], 100));
    expect(item?.entry.reason).toBe('a\ufffdb');
    expect(item?.entry.rule).toBe('half \ufffd');
  });

  it.each([
    ['a fraction', { keyVersion: 1.5 }],
    ['a negative time', { timeMs: -1 }],
    ['a number that does not fit', { configurationRevision: 2 ** 32 }],
    ['no number at all', { expireTimeMs: Number.NaN }],
    ['an unknown kind', { kind: 'TOLD' as never }],
    [
      'a short fingerprint',
      { fingerprints: { ...sampleEntry().fingerprints, to: new Uint8Array(15) } as never },
    ],
  ])('refuses an entry with %s', (_, fields) => {
    expect(() => assertRecordable({ entry: sampleEntry(fields), change: undefined })).toThrow(TypeError);
  });

  it('refuses a request id that would fail the commit of others', () => {
    const change = { ...ANSWER, requestId: 'a\0b' };
    expect(() => assertRecordable({ entry: sampleEntry(), change })).toThrow(TypeError);
  });
});

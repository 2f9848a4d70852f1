import { describe, expect, it } from '@jest/globals';
import { canonicalBytes, draftEntry, type EntryDraft, type StateChange } from '@callpass/domain';
import { sampleEntry } from '@callpass/testkit';
import { assertRecordable, decodeBatch, encodeBatch, type RecordItem } from './batch-codec.ts';

const ANSWER: StateChange = {
  kind: 'rememberAnswer',
  client: 'web-edge',
  requestId: '8d0f',
  bodyHash: new Uint8Array(32),
  answer: new Uint8Array(3),
  nowMs: 1,
  expireTimeMs: 2,
};

const TOKENS = { account: 'A', from: 'F', to: 'T' };
const OTHER_TOKENS = { account: 'a', from: 'f', to: 't' };

function itemOf(entry: EntryDraft): RecordItem {
  return { entry, change: undefined, tokens: undefined, subject: undefined };
}

describe('a batch on its way to the thread', () => {
  it('arrives with every field, fingerprint, token and change at its entry', () => {
    const items = [
      itemOf(sampleEntry({ issuanceId: 'with fingerprints' })),
      itemOf(draftEntry({ kind: 'FROZEN', timeMs: 5, client: 'operator' })),
      { ...itemOf(sampleEntry({ issuanceId: 'with a change' })), change: ANSWER },
      { ...itemOf(draftEntry({ kind: 'ISSUED', timeMs: 6, client: 'web-edge' })), tokens: TOKENS },
      { ...itemOf(draftEntry({ kind: 'ISSUED', timeMs: 7, client: 'web-edge' })), tokens: OTHER_TOKENS },
    ];
    const arrived = decodeBatch(structuredClone(encodeBatch(items, 100)));
    expect(arrived).toHaveLength(5);
    items.forEach(({ entry, change, tokens }, index) => {
      const got = arrived[index];
      expect(got && Buffer.from(canonicalBytes('w', 1, got.entry)).toString('hex')).toBe(
        Buffer.from(canonicalBytes('w', 1, entry)).toString('hex'),
      );
      expect(got?.change?.kind).toBe(change?.kind);
      expect(got?.tokens).toEqual(tokens);
    });
  });

  it('carries no text that a database would give back otherwise', () => {
    const entry = sampleEntry({ reason: 'a\0b', rule: 'half \ud800' });
    const [item] = decodeBatch(encodeBatch([itemOf(entry)], 100));
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
    expect(() => assertRecordable(itemOf(sampleEntry(fields)))).toThrow(TypeError);
  });

  it('refuses a request id that would fail the commit of others', () => {
    const change = { ...ANSWER, requestId: 'a\0b' };
    expect(() => assertRecordable({ ...itemOf(sampleEntry()), change })).toThrow(TypeError);
  });
});

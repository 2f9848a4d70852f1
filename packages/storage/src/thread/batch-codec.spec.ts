import { describe, expect, it } from '@jest/globals';
import { KeyedHash, type EntryDraft, type StateChange } from '@callpass/domain';
import { BLANK_FIELDS } from '@callpass/ledger';
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

const KEYED_HASH = new KeyedHash(new Uint8Array(32).fill(1));

function itemOf(entry: EntryDraft): RecordItem {
  return { entry, change: undefined, tokens: undefined };
}

describe('a batch on its way to the thread', () => {
  it('arrives with every field, fingerprint, token and change at its entry', () => {
    const items = [
      itemOf(sampleEntry({ issuanceId: 'with fingerprints' })),
      itemOf({ kind: 'FROZEN', timeMs: 5, client: 'operator' }),
      { ...itemOf(sampleEntry({ issuanceId: 'with a change' })), change: ANSWER },
      { ...itemOf({ kind: 'ISSUED', timeMs: 6, client: 'web-edge' }), tokens: TOKENS },
      { ...itemOf({ kind: 'ISSUED', timeMs: 7, client: 'web-edge' }), tokens: OTHER_TOKENS },
    ];
    const arrived = decodeBatch(structuredClone(encodeBatch(items, 100)), KEYED_HASH);
    expect(arrived).toHaveLength(5);
    items.forEach(({ entry, change, tokens }, index) => {
      const { visitor, ...same } = entry;
      const got = arrived[index];
      const fingerprints = tokens ? KEYED_HASH.tokens(tokens) : entry.fingerprints;
      expect(got?.entry).toEqual({
        ...BLANK_FIELDS,
        ...same,
        subjectHash: visitor && 'hash' in visitor ? visitor.hash : '',
        fingerprints: fingerprints && {
          account: Buffer.from(fingerprints.account),
          from: Buffer.from(fingerprints.from),
          to: Buffer.from(fingerprints.to),
        },
      });
      expect(got?.change?.kind).toBe(change?.kind);
    });
  });

  it('arrives with the visitor hashed, whether it was in clear or hashed already', () => {
    const visitors = [{ clear: 'visitor-1' }, { hash: 'a'.repeat(32) }, undefined];
    const items = visitors.map((visitor) => itemOf(sampleEntry({ visitor })));
    const arrived = decodeBatch(structuredClone(encodeBatch(items, 100)), KEYED_HASH);
    expect(arrived.map(({ entry }) => entry.subjectHash)).toEqual([
      KEYED_HASH.subject('visitor-1'),
      'a'.repeat(32),
      '',
    ]);
  });

  it('carries no text that a database would give back otherwise', () => {
    const entry = sampleEntry({ reason: 'a\0b', rule: 'half \ud800' });
    const [item] = decodeBatch(encodeBatch([itemOf(entry)], 100), KEYED_HASH);
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

import { describe, expect, it } from '@jest/globals';
import { entryFields, faultOf, linkEntry, newChain, type LedgerEntry } from '@callpass/ledger';
import { decodeEntries, encodeEntries } from './entry-codec.ts';

function chain(): LedgerEntry[] {
  const issued = entryFields({
    kind: 'ISSUED',
    timeMs: 1,
    client: 'web-edge',
    realm: 'support.example',
    keyVersion: 3,
    callee: 'süd@kandy.example',
    subjectHash: '0123456789abcdef0123456789abcdef',
    fingerprints: tokens(),
  });
  const first = linkEntry(newChain('writer'), issued);
  const second = linkEntry(first, entryFields({ kind: 'FROZEN', timeMs: 5, client: 'operator' }));
  return [first, second, linkEntry(second, issued)];
}

function sent(entries: readonly LedgerEntry[]): LedgerEntry[] {
  return decodeEntries(structuredClone(encodeEntries(entries)));
}

describe('entries on their way from the thread', () => {
  it('arrive as they were, in a chain that holds', () => {
    const entries = chain();
    const arrived = sent(entries);
    expect(arrived.map((entry, index) => faultOf(entries[index - 1] ?? newChain('writer'), entry))).toEqual([
      undefined,
      undefined,
      undefined,
    ]);
    expect(arrived.map((entry) => Object.keys(entry).toSorted())).toEqual(
      entries.map((entry) => Object.keys(entry).toSorted()),
    );
  });

  it('arrive when there are none', () => {
    expect(sent([])).toEqual([]);
  });

  it.each([
    ['a longer hash', { hash: new Uint8Array(33) }],
    ['no hash at all', { hash: new Uint8Array(0) }],
    ['a shorter previous hash', { previousHash: new Uint8Array(31) }],
    ['a byte too many behind the fingerprints', { fingerprints: { ...tokens(), to: new Uint8Array(17) } }],
    ['fingerprints that are cut', { fingerprints: { ...tokens(), to: new Uint8Array(3) } }],
    ['empty fingerprints', { fingerprints: nothing() }],
  ])('arrive altered with %s, and leave the next one whole', (_, altered) => {
    const [first, second, third] = chain() as [LedgerEntry, LedgerEntry, LedgerEntry];
    const [got, , last] = sent([{ ...first, ...altered }, second, third]) as [
      LedgerEntry,
      LedgerEntry,
      LedgerEntry,
    ];
    expect(faultOf(newChain('writer'), got)).toBeDefined();
    expect(faultOf(second, last)).toBeUndefined();
  });
});

function nothing() {
  return { account: new Uint8Array(0), from: new Uint8Array(0), to: new Uint8Array(0) };
}

function tokens() {
  return { account: new Uint8Array(16), from: new Uint8Array(16), to: new Uint8Array(16) };
}

import { describe, expect, it } from '@jest/globals';
import { createHash } from 'node:crypto';
import fc from 'fast-check';
import {
  canonicalBytes,
  chaining,
  ENTRY_VERSION,
  faultOf,
  GENESIS_HASH,
  linkEntry,
  newChain,
  type ChainHead,
} from './chain.ts';
import {
  ENTRY_FIELDS,
  ENTRY_KINDS,
  entryFields,
  type EntryFields,
  type EntryKind,
  type FieldType,
  type LedgerEntry,
} from './entry.ts';
import { entryLines } from './export-format.ts';

const print = (fill: number): Uint8Array => new Uint8Array(16).fill(fill);
const ISSUED: EntryFields = entryFields({
  kind: 'ISSUED',
  timeMs: 1_790_000_000_000,
  client: 'web-edge',
  destination: 'support',
  realm: 'support.example',
  keyVersion: 3,
  callee: 'support@kandy.example',
  caller: 'anonymous@kandy.example',
  subjectHash: '00112233445566778899aabbccddeeff',
  configurationRevision: 7,
  traceId: '0af7651916cd43dd8448eb211c80319c',
  issuanceId: '01990f7e-5c00-7000-8000-000000000000',
  expireTimeMs: 1_790_000_600_000,
  fingerprints: { account: print(1), from: print(2), to: print(3) },
});

const bytesOf = (writerId: string, sequence: number, fields: EntryFields, version = ENTRY_VERSION) =>
  canonicalBytes({ version, writerId, sequence }, fields);

const fingerprint = fc.uint8Array({ minLength: 16, maxLength: 16 });
const VALUES: Readonly<Record<FieldType, fc.Arbitrary<unknown>>> = {
  kind: fc.constantFrom(...(Object.keys(ENTRY_KINDS) as EntryKind[])),
  uint32: fc.integer({ min: 0, max: 0xffff_ffff }),
  time: fc.maxSafeNat(),
  text: fc.string({ unit: 'grapheme' }),
  fingerprints: fc.option(fc.record({ account: fingerprint, from: fingerprint, to: fingerprint }), {
    nil: undefined,
  }),
};
const draft = fc.record(
  Object.fromEntries(ENTRY_FIELDS.map(({ name, type }) => [name, VALUES[type]])),
) as unknown as fc.Arbitrary<EntryFields>;

function chainOf(drafts: readonly EntryFields[]): LedgerEntry[] {
  let head: ChainHead = newChain('writer-1');
  return drafts.map((entry) => {
    const linked = linkEntry(head, entry);
    head = linked;
    return linked;
  });
}

const entries = chainOf([1, 2, 3, 4].map((revision) => ({ ...ISSUED, configurationRevision: revision })));

function entryAt(index: number): LedgerEntry {
  const entry = entries[index];
  if (!entry) throw new Error('no such entry');
  return entry;
}

/** Place and fault of the first entry that does not follow. */
function firstFault(entries: readonly LedgerEntry[]): string | undefined {
  let head: ChainHead = newChain('writer-1');
  for (const entry of entries) {
    const fault = faultOf(head, entry);
    if (fault !== undefined) return `${entry.sequence}: ${fault}`;
    head = entry;
  }
  return undefined;
}

describe('canonicalBytes', () => {
  it('never change: version 1, to the byte', () => {
    const digest = (entry: EntryFields) =>
      createHash('sha256')
        .update(bytesOf('writer-1', 42, entry, 1))
        .digest('hex');
    expect(digest(ISSUED)).toBe('16160d92a15e33819965bf73ee59b3ad97797a98f3e9beef7bfdc0cc387e8e2c');
    expect(digest(entryFields({ kind: 'REFUSED', timeMs: 1, client: 'ü' }))).toBe(
      '0468746e7ed9dceead3f5808c1c8eecfb202470655a95d70bea4ced195d6431b',
    );
  });

  it('are laid out as documented: fixed numbers, then texts with their length, then fingerprints', () => {
    const bytes = Buffer.from(bytesOf('w', 2, entryFields({ kind: 'REFUSED', timeMs: 3, client: 'ü' }), 1));
    const numbers =
      '01' + '02' + '00000000' + '00000000' + '0000000000000002' + '0000000000000003' + '0000000000000000';
    const texts = '00000001' + '77' + '00000002' + 'c3bc' + '00000000'.repeat(9);
    expect(bytes.toString('hex')).toBe(numbers + texts + '00');
  });

  it('are the same only if writer, place and every field are the same', () => {
    fc.assert(
      fc.property(
        draft,
        draft,
        fc.constantFrom<keyof EntryFields>(...(Object.keys(ISSUED) as (keyof EntryFields)[])),
        (a, b, field) => {
          const changed = { ...a, [field]: b[field] };
          const same = JSON.stringify(a) === JSON.stringify(changed);
          expect(Buffer.compare(bytesOf('w', 1, a), bytesOf('w', 1, changed)) === 0).toBe(same);
        },
      ),
      { numRuns: 500 },
    );
    const base = bytesOf('w', 1, ISSUED);
    expect(bytesOf('w', 2, ISSUED)).not.toEqual(base);
    expect(bytesOf('v', 1, ISSUED)).not.toEqual(base);
  });

  it('are not moved by text that slides from one field into the next', () => {
    const slid = (client: string, destination: string) => bytesOf('w', 1, { ...ISSUED, client, destination });
    expect(slid('ab', 'c')).not.toEqual(slid('a', 'bc'));
    expect(slid('abc', '')).not.toEqual(slid('', 'abc'));
  });

  it.each([
    [
      'a fingerprint that is too short',
      { fingerprints: { account: print(1), from: new Uint8Array(15), to: print(3) } },
    ],
    [
      'a fingerprint that is too long',
      { fingerprints: { account: print(1), from: print(2), to: new Uint8Array(17) } },
    ],
    ['a key version below zero', { keyVersion: -1 }],
    ['a key version that is not whole', { keyVersion: 1.5 }],
    ['a revision that does not fit', { configurationRevision: 2 ** 32 }],
    ['a time that is not whole', { timeMs: 0.5 }],
    ['a time before the epoch', { expireTimeMs: -1 }],
    ['an unknown kind', { kind: 'FORGED' as EntryKind }],
  ])('do not exist for %s', (_what, changes) => {
    expect(() => bytesOf('w', 1, { ...ISSUED, ...changes })).toThrow(
      expect.objectContaining({ name: 'RangeError' }),
    );
  });
});

describe('a chain', () => {
  it('starts from 32 zero bytes, counts from 1 and hashes the hash before with the canonical bytes', () => {
    const [first] = entries;
    expect(first).toMatchObject({ writerId: 'writer-1', sequence: 1, previousHash: GENESIS_HASH });
    const expected = createHash('sha256').update(new Uint8Array(32));
    expect(Buffer.from(first?.hash ?? [])).toEqual(
      expected.update(bytesOf('writer-1', 1, { ...ISSUED, configurationRevision: 1 })).digest(),
    );
  });

  it('holds when nothing was touched, whatever was written', () => {
    fc.assert(fc.property(fc.array(draft), (drafts) => firstFault(chainOf(drafts)) === undefined));
  });

  it('shows an altered entry, whichever field was altered', () => {
    fc.assert(
      fc.property(
        draft,
        fc.nat({ max: 3 }),
        fc.constantFrom(...Object.keys(ISSUED)),
        (other, index, field) => {
          const original = entryAt(index);
          const value = other[field as keyof EntryFields];
          fc.pre(JSON.stringify(original[field as keyof EntryFields]) !== JSON.stringify(value));
          const altered = entries.with(index, { ...original, [field]: value });
          expect(firstFault(altered)).toBe(`${index + 1}: was altered`);
        },
      ),
    );
  });

  it('shows an entry that was altered and hashed anew, at the entry after it', () => {
    const forged = linkEntry(entryAt(0), { ...ISSUED, callee: 'premium@number.example' });
    expect(firstFault(entries.with(1, forged))).toBe('3: does not follow the entry before it');
  });

  it('shows a gap, an entry at a wrong place and an entry of another writer', () => {
    expect(firstFault(entries.toSpliced(1, 1))).toBe('3: entry 2 is missing');
    expect(firstFault([...entries.slice(0, 2), ...entries.slice(1)])).toBe('2: entry 3 is missing');
    expect(firstFault(entries.slice(1))).toBe('2: entry 1 is missing');
    const foreign = linkEntry({ ...entryAt(3), writerId: 'writer-2' }, ISSUED);
    expect(firstFault([...entries, foreign])).toBe('5: belongs to another chain');
  });

  it.each([
    ['a hash of the wrong length', { hash: new Uint8Array(31) }],
    ['an empty hash', { hash: new Uint8Array() }],
    ['a kind that does not exist', { kind: 'FORGED' as EntryKind }],
    ['a number below zero', { keyVersion: -1 }],
    ['a number that is no number', { timeMs: NaN }],
    [
      'fingerprints that are too long',
      { fingerprints: { account: print(1), from: print(2), to: new Uint8Array(99) } },
    ],
    ['fingerprints that are missing', { fingerprints: {} as unknown as undefined }],
  ])('shows %s as altered instead of failing', (_what, changes) => {
    const forged: LedgerEntry = { ...entryAt(1), ...changes };
    expect(firstFault(entries.with(1, forged))).toBe('2: was altered');
  });
});

describe('an entry of a later version', () => {
  const next = ENTRY_VERSION + 1;
  const grown = [...ENTRY_FIELDS, { name: 'callId', column: 'call_id', type: 'text', since: next }] as const;
  const later = chaining<(typeof grown)[number]>(grown);
  type LaterEntry = ReturnType<typeof later.linkEntry>;
  const old: readonly LaterEntry[] = entries.map((entry) => ({ ...entry, callId: '' }));
  const added = (head: ChainHead): LaterEntry[] => {
    const first = later.linkEntry(head, { ...ISSUED, callId: 'call-1' });
    return [first, later.linkEntry(first, { ...ISSUED, callId: '' })];
  };
  const fresh = added(newChain('writer-1'));
  const mixed = [...old, ...added(entryAt(3))];
  const fault = (chain: readonly LaterEntry[]) => {
    let head: ChainHead = newChain('writer-1');
    for (const entry of chain) {
      const found = later.faultOf(head, entry);
      if (found !== undefined) return `${entry.sequence}: ${found}`;
      head = entry;
    }
    return undefined;
  };

  it('has the fields of its version, and the version of entries before it stays what it was', () => {
    expect(fresh.map(({ version }) => version)).toEqual([next, next]);
    expect(mixed.map(({ version }) => version)).toEqual([
      ...Array<number>(4).fill(ENTRY_VERSION),
      next,
      next,
    ]);
    const place = { writerId: 'writer-1', sequence: 1 };
    const before = Buffer.from(canonicalBytes({ ...place, version: ENTRY_VERSION }, ISSUED));
    expect(later.canonicalBytes({ ...place, version: ENTRY_VERSION }, { ...ISSUED, callId: '' })).toEqual(
      before,
    );
    expect(later.canonicalBytes({ ...place, version: next }, { ...ISSUED, callId: '' })).not.toEqual(before);
  });

  it.each([
    ['old', old],
    ['new', fresh],
    ['mixed', mixed],
  ])('verifies in a chain that is %s', (_, chain) => {
    expect(fault(chain)).toBeUndefined();
  });

  it('is found altered when its version is flipped, or the new field of it or of an older entry', () => {
    const at = (index: number, changes: Partial<LaterEntry>) =>
      fault(mixed.with(index, { ...(mixed[index] as LaterEntry), ...changes }));
    expect(at(1, { version: next })).toBe('2: was altered');
    expect(at(4, { version: ENTRY_VERSION })).toBe('5: was altered');
    expect(at(5, { version: ENTRY_VERSION })).toBe('6: was altered');
    expect(at(4, { callId: 'call-2' })).toBe('5: was altered');
    expect(at(1, { callId: 'call-2' })).toBe('2: was altered');
    for (const version of [0, next + 1, -1, 1.5, NaN]) expect(at(1, { version })).toBe('2: was altered');
  });

  it('is not known to a program that is older', () => {
    const [first] = fresh as [LaterEntry];
    expect(faultOf(newChain('writer-1'), first)).toBe('was altered');
    expect(entryLines(ENTRY_FIELDS).readEntry(entryLines(grown).entryLine(first))).toBe(
      'is of another version than this program reads',
    );
  });

  it('has a line in an export, beside lines of older entries, which are what they were', () => {
    const { entryLine, readEntry } = entryLines<(typeof grown)[number]>(grown);
    const lines = mixed.map(entryLine);
    expect(lines.map((line) => readEntry(line))).toEqual(
      mixed.map((entry) => expect.objectContaining(entry)),
    );
    expect(lines.slice(0, 4)).toEqual(entries.map(entryLines(ENTRY_FIELDS).entryLine));
    const [, second = '', , , fifth = ''] = lines;
    for (const line of [
      fifth.replace('"callId":"call-1",', ''),
      second.replace('"previousHash"', '"callId":"","previousHash"'),
      second.replace(`"version":${ENTRY_VERSION},`, ''),
    ]) {
      expect(readEntry(line)).toEqual(expect.any(String));
    }
  });
});

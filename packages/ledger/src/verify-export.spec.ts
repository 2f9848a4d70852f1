import { readFile } from 'node:fs/promises';
import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { ENTRY_VERSION, linkEntry } from './chain.ts';
import { ENTRY_KINDS } from './entry.ts';
import { chainsOf, exportOf, madeUpEntries, wholeExport } from './testing/made-up-ledger.ts';
import { entryLine } from './export-format.ts';
import { verifyExport } from './verify-export.ts';

/** Verifies bytes that come in chunks of some size. */
function verify(bytes: Uint8Array, chunkBytes = 64 * 1024) {
  return verifyExport(
    (async function* () {
      for (let at = 0; at < bytes.length; at += chunkBytes) yield bytes.subarray(at, at + chunkBytes);
    })(),
  );
}

const lineOf = (bytes: Uint8Array, place: number) =>
  1 + bytes.subarray(0, place).reduce((count, byte) => count + (byte === 0x0a ? 1 : 0), 0);

const entries = madeUpEntries(7);
const small = wholeExport(entries);
const lines = small.toString().trimEnd().split('\n');

const changed = (change: (lines: string[]) => string[]) => Buffer.from(`${change([...lines]).join('\n')}\n`);

describe('an export of format version 1, made by the service of that time', () => {
  it('verifies, with every kind of entry and with chains that begin at anchors', async () => {
    const bytes = await readFile(new URL('testing/exports/version-1.jsonl', import.meta.url));
    const found = await verify(bytes);
    expect(found.fault).toBeUndefined();
    expect(found.entryCount).toBe(23);
    expect(
      found.chains.map(({ writerId, firstSequence, lastSequence }) => [
        writerId,
        firstSequence,
        lastSequence,
      ]),
    ).toEqual([
      ['instance-1', 4, 14],
      ['instance-2', 3, 8],
      ['instance-3', 1, 6],
    ]);
    const versioned = bytes.toString().replace('{"writerId":"instance-2","sequence":3,', '$&"version":1,');
    expect((await verify(Buffer.from(versioned))).fault).toEqual({
      line: 6,
      text: 'is not spelled as an entry is',
    });
    const kinds = [...bytes.toString().matchAll(/"kind":"(\w+)"/g)].map(([, kind]) => kind);
    expect(new Set(kinds)).toEqual(new Set(Object.keys(ENTRY_KINDS)));
  });
});

describe('verifyExport', () => {
  it('finds nothing in an export that nobody touched, however it is cut into chunks', async () => {
    for (const chunkBytes of [1, 7, 1000, small.length]) {
      expect(await verify(small, chunkBytes)).toMatchObject({
        entryCount: 7,
        chains: chainsOf(entries),
        differences: [],
      });
    }
  });

  it('takes a ledger without entries, and chains that begin at an anchor', async () => {
    expect(await verify(wholeExport([]))).toMatchObject({ entryCount: 0, chains: [] });
    const kept = entries.filter(({ sequence }) => sequence >= 3);
    const anchored = exportOf(kept.map(entryLine), chainsOf(entries, 3));
    expect(await verify(anchored)).toMatchObject({ entryCount: kept.length });
    expect((await verify(anchored)).fault).toBeUndefined();
  });

  it('finds a flipped bit at every single place, on its own line', async () => {
    const missed: string[] = [];
    for (let place = 0; place < small.length; place++) {
      // All eight at each place would take long: each bit has its turn at each eighth place.
      const bit = place % 8;
      const flipped = Buffer.from(small);
      flipped[place] = (flipped[place] ?? 0) ^ (1 << bit);
      const { fault } = await verify(flipped);
      if (fault?.line !== lineOf(small, place)) missed.push(`byte ${place} bit ${bit}: line ${fault?.line}`);
    }
    expect(missed).toEqual([]);
  });

  it('finds a byte that was changed to any other, at any place of a bigger export, on its own line', async () => {
    const big = wholeExport(madeUpEntries(300));
    await fc.assert(
      fc.asyncProperty(
        fc.nat({ max: big.length - 1 }),
        fc.integer({ min: 1, max: 255 }),
        async (place, change) => {
          const altered = Buffer.from(big);
          altered[place] = (altered[place] ?? 0) ^ change;
          expect((await verify(altered)).fault?.line).toBe(lineOf(big, place));
        },
      ),
      { numRuns: 100 },
    );
  });

  it('finds a place at which the file was cut', async () => {
    for (let length = 0; length < small.length; length += 11) {
      const { fault } = await verify(small.subarray(0, length));
      expect(fault?.line).toBe(lineOf(small, length));
    }
  });

  it('names line, chain and place of an entry that was taken out, put in twice, moved or altered', async () => {
    const out = changed((all) => all.toSpliced(3, 1));
    expect((await verify(out)).fault).toEqual({
      line: 5,
      writerId: 'writer-a',
      sequence: 2,
      text: 'entry 2 is missing',
    });
    const twice = changed((all) => all.toSpliced(3, 0, all[2] ?? ''));
    expect((await verify(twice)).fault).toMatchObject({ line: 4, writerId: 'writer-b', sequence: 2 });
    const moved = changed((all) => all.with(1, all[3] ?? '').with(3, all[1] ?? ''));
    expect((await verify(moved)).fault).toMatchObject({ line: 2, writerId: 'writer-a', sequence: 1 });
    const altered = changed((all) => all.with(3, all[3]?.replace('LIMIT', 'LEMON') ?? ''));
    expect((await verify(altered)).fault).toEqual({
      line: 4,
      writerId: 'writer-a',
      sequence: 2,
      text: 'was altered',
    });
  });

  it('finds an entry whose version was flipped or left out', async () => {
    const version = `"version":${ENTRY_VERSION},`;
    const flipped = changed((all) =>
      all.with(3, all[3]?.replace(version, `"version":${ENTRY_VERSION + 1},`) ?? ''),
    );
    expect((await verify(flipped)).fault).toEqual({
      line: 4,
      text: 'is of another version than this program reads',
    });
    const without = changed((all) => all.with(3, all[3]?.replace(version, '') ?? ''));
    expect((await verify(without)).fault?.line).toBe(4);
  });

  it('finds a forged chain that was hashed anew but for its recorded end', async () => {
    const [first, second, ...rest] = entries;
    if (!first || !second) throw new Error('no entries');
    const forged = linkEntry(
      { ...first, sequence: 0, hash: first.previousHash },
      { ...first, callee: 'x@y' },
    );
    const bytes = exportOf([forged, second, ...rest].map(entryLine), chainsOf(entries));
    expect((await verify(bytes)).fault).toMatchObject({ line: 4, writerId: 'writer-a', sequence: 2 });
  });

  it('finds what does not belong: other chains, more entries than the header says, lines behind the end', async () => {
    const [chain] = chainsOf(entries);
    if (!chain) throw new Error('no chain');
    const foreign = exportOf(entries.map(entryLine), [chain]);
    expect((await verify(foreign)).fault).toMatchObject({
      line: 3,
      text: 'belongs to no chain of the header',
    });
    const longer = exportOf(entries.map(entryLine), chainsOf(entries.slice(0, 5)));
    expect((await verify(longer)).fault).toEqual({
      line: 7,
      writerId: 'writer-b',
      sequence: 3,
      text: 'stands behind the end of its chain',
    });
    const more = Buffer.concat([small, Buffer.from('\n')]);
    expect((await verify(more)).fault).toEqual({ line: 10, text: 'stands behind the end of the export' });
    const doubled = exportOf([], [chain, chain]);
    expect((await verify(doubled)).fault).toEqual({ line: 1, text: 'names a chain twice' });
  });

  it('finds entries that are missing at the end, also when the digest was made anew', async () => {
    const short = exportOf(entries.slice(0, 6).map(entryLine), chainsOf(entries));
    expect((await verify(short)).fault).toEqual({
      line: 8,
      writerId: 'writer-a',
      sequence: 4,
      text: 'entry 4 is missing',
    });
  });

  it('takes only the one spelling of a line', async () => {
    const spellings: ((line: string) => string)[] = [
      (line) => line.replace('":', '": '),
      (line) => `${line} `,
      (line) => `${line}\r`,
      (line) => line.replace('"sequence":1', '"sequence":1.0'),
      (line) => line.replace('"sequence":1', '"sequence":1e0'),
      (line) => line.replace('web-edge', 'web\\u002dedge'),
      (line) => line.replace('"client"', '"client":"","client"'),
      (line) => line.replace('{', '{"more":1,'),
      (line) => line.replace('{', '{"__proto__":{},'),
      (line) =>
        line.replace(/("hash":")([0-9a-f]+)/, (_all, name: string, hex: string) => name + hex.toUpperCase()),
      (line) => line.replace('web-edge', '\\ud800'),
      (line) => line.replace('"ISSUED"', '"toString"'),
      (line) => `[${line}]`,
      () => 'null',
      () => '',
    ];
    for (const spell of spellings) {
      const [first = '', ...rest] = entries.map(entryLine);
      const { fault } = await verify(exportOf([spell(first), ...rest], chainsOf(entries)));
      expect(fault?.line).toBe(2);
    }
  });

  it('tells text that is not Unicode from the character that stands for it, which has the same hash', async () => {
    const [first] = entries;
    if (!first) throw new Error('no entries');
    const entry = linkEntry(
      { ...first, sequence: 0, hash: first.previousHash },
      { ...first, rule: '\ufffd' },
    );
    const [line, chains] = [entryLine(entry), chainsOf([entry])];
    expect((await verify(exportOf([line], chains))).fault).toBeUndefined();
    const escaped = exportOf([line.replace('\ufffd', '\\ud800')], chains);
    expect((await verify(escaped)).fault?.line).toBe(2);
    const whole = exportOf([line], chains);
    const at = whole.indexOf('\ufffd');
    const invalid = Buffer.concat([whole.subarray(0, at), Buffer.from([0xff]), whole.subarray(at + 3)]);
    expect((await verify(invalid)).fault).toEqual({ line: 2, text: 'is not UTF-8' });
  });

  it('never crashes on what is no export, and keeps no more than a line of it', async () => {
    await fc.assert(
      fc.asyncProperty(fc.uint8Array({ maxLength: 300 }), async (bytes) => {
        expect((await verify(bytes)).fault).toBeDefined();
      }),
    );
    let read = 0;
    const endless = async function* () {
      for (;;) {
        read += 1024 * 1024;
        yield new Uint8Array(1024 * 1024).fill(0x20);
      }
    };
    expect((await verifyExport(endless())).fault).toMatchObject({ line: 1 });
    expect(read).toBeLessThan(20 * 1024 * 1024);
  });
});

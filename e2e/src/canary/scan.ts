import { isTellable, type Canary } from './keep.ts';

/** Something that was emitted, and where. */
export interface Emitted {
  readonly place: string;
  readonly content: Uint8Array;
}

/** A secret that was found: what it is, in which form and where, never its value. A report is emitted too. */
export interface Found {
  readonly what: string;
  readonly form: string;
  readonly place: string;
  readonly line: number;
}

interface Pattern {
  readonly what: string;
  readonly form: string;
  readonly bytes: Uint8Array;
}

/** Searches everything that was emitted for all canaries at once, letter case aside. */
export type Scan = (emitted: Emitted) => Found[];

// All patterns are at least so long. The hash of each window of so many bytes says which may begin there (Rabin and Karp).
const WINDOW = 8;
const BASE = 0x01000193;
const BASE_TO_WINDOW = Array.from({ length: WINDOW }).reduce<number>((power) => Math.imul(power, BASE), 1);
const FILTER_BITS = 24;

const LOWER_CASE = Uint8Array.from({ length: 256 }, (_, byte) =>
  byte >= 65 && byte <= 90 ? byte + 32 : byte,
);

/** The scan for these canaries. Throws RangeError for one that chance could find. */
export function createScan(canaries: Iterable<Canary>): Scan {
  const byHash = new Map<number, Pattern[]>();
  // Most windows begin nothing, and asking a map for each byte would be slow.
  const filter = new Uint8Array(2 ** FILTER_BITS);
  for (const pattern of patternsOf(canaries)) {
    let hash = 0;
    for (const byte of pattern.bytes.subarray(0, WINDOW)) hash = roll(hash, byte, 0);
    filter[hash >>> (32 - FILTER_BITS)] = 1;
    const others = byHash.get(hash);
    if (others) others.push(pattern);
    else byHash.set(hash, [pattern]);
  }
  return ({ place, content }) => {
    const text = content.map((byte) => LOWER_CASE[byte] as number);
    const found = new Map<Pattern, Found>();
    for (let end = 0, hash = 0; end < text.length; end++) {
      hash = roll(hash, text[end] as number, end < WINDOW ? 0 : (text[end - WINDOW] as number));
      if (filter[hash >>> (32 - FILTER_BITS)] === 0) continue;
      const start = end + 1 - WINDOW;
      for (const pattern of byHash.get(hash) ?? []) {
        if (found.has(pattern) || !standsAt(text, start, pattern.bytes)) continue;
        const { what, form } = pattern;
        found.set(pattern, { what, form, place, line: lineOf(text, start) });
      }
    }
    return [...found.values()];
  };
}

function roll(hash: number, comes: number, goes: number): number {
  return (Math.imul(hash, BASE) + comes - Math.imul(goes, BASE_TO_WINDOW)) | 0;
}

function standsAt(text: Uint8Array, start: number, bytes: Uint8Array): boolean {
  return start >= 0 && Buffer.compare(text.subarray(start, start + bytes.length), bytes) === 0;
}

function lineOf(text: Uint8Array, offset: number): number {
  let line = 1;
  for (let index = 0; index < offset; index++) if (text[index] === 0x0a) line++;
  return line;
}

function* patternsOf(canaries: Iterable<Canary>): Iterable<Pattern> {
  const seen = new Set<string>();
  for (const { what, value } of canaries) {
    if (!isTellable(value)) throw new RangeError(`${what} would be found by chance`);
    for (const [form, text] of Object.entries(formsOf(Buffer.from(value)))) {
      const bytes = Uint8Array.from(text, (byte) => LOWER_CASE[byte] as number);
      const key = Buffer.from(bytes).toString('latin1');
      if (seen.has(key)) continue;
      seen.add(key);
      yield { what, form, bytes };
    }
  }
}

/** The forms in which a secret may slip out. */
function formsOf(value: Buffer): Readonly<Record<string, Buffer>> {
  return {
    'as it is': value,
    'in hexadecimal': Buffer.from(value.toString('hex')),
    'in base64': Buffer.from(value.toString('base64').replace(/=+$/, '')),
    'in base64url': Buffer.from(value.toString('base64url')),
    'percent-encoded': Buffer.from(encodeURIComponent(value.toString())),
  };
}

const FIRST_BYTES = 64 * 1024;
const MAX_VARINT_BYTES = 10;
/** Limit in characters for texts that are written one by one; under 128, so that the length is one byte. */
const SHORT = 48;
const TWO_TO_32 = 2 ** 32;

/** Wire types of Protocol Buffers. */
export const WIRE = { varint: 0, fixed64: 1, bytes: 2, fixed32: 5 } as const;

/**
 * Writes Protocol Buffers messages in one pass into a growing buffer. The length of a nested message is inserted at its end.
 * Field numbers must be below 16, so that a tag is one byte, except in {@link longTag}. One writer can write many messages in
 * sequence.
 */
export class MessageWriter {
  #bytes = Buffer.allocUnsafeSlow(FIRST_BYTES);
  #at = 0;

  /** Discards the written bytes. Call it before a message, since the former one may have been aborted. */
  reset(): void {
    this.#at = 0;
  }

  /** Copies the written bytes and empties the writer. A small copy is a part of Node's shared pool. */
  finish(): Buffer {
    const written = Buffer.allocUnsafe(this.#at);
    this.#bytes.copy(written, 0, 0, this.#at);
    this.#at = 0;
    return written;
  }

  /** Writes a tag of the field numbers 1 to 15. */
  tag(field: number, wire: number): void {
    this.#reserve(1);
    this.#bytes[this.#at++] = (field << 3) | wire;
  }

  /** Writes a tag of the field numbers 16 to 2047. */
  longTag(field: number, wire: number): void {
    this.#reserve(2);
    this.#bytes[this.#at++] = ((field << 3) & 0x7f) | wire | 0x80;
    this.#bytes[this.#at++] = field >> 4;
  }

  /** Begins a nested message. Returns its start for {@link end}. */
  begin(field: number): number {
    this.tag(field, WIRE.bytes);
    this.#reserve(1);
    return ++this.#at;
  }

  /** Ends the nested message that began at `start`, and inserts its length. */
  end(start: number): void {
    const length = this.#at - start;
    const extra = varintBytes(length) - 1;
    // Before the length is written: growing keeps only the bytes before the write position.
    this.#reserve(MAX_VARINT_BYTES);
    if (extra > 0) this.#bytes.copyWithin(start + extra, start, this.#at);
    this.#at = start - 1;
    this.varint(length);
    this.#at += length;
  }

  /** Writes an integer from 0 to 2^53 - 1. */
  varint(value: number): void {
    this.#reserve(MAX_VARINT_BYTES);
    let rest = value;
    while (rest > 0x7f) {
      this.#bytes[this.#at++] = (rest % 128) | 0x80;
      rest = Math.floor(rest / 128);
    }
    this.#bytes[this.#at++] = rest;
  }

  /** Writes a 64-bit integer in two's complement. */
  int64(value: number): void {
    if (value >= 0 && value <= Number.MAX_SAFE_INTEGER) {
      this.varint(value);
      return;
    }
    this.#reserve(MAX_VARINT_BYTES);
    let rest = BigInt.asUintN(64, BigInt(value));
    while (rest > 0x7fn) {
      this.#bytes[this.#at++] = Number(rest & 0x7fn) | 0x80;
      rest >>= 7n;
    }
    this.#bytes[this.#at++] = Number(rest);
  }

  /** Writes a double. */
  double(value: number): void {
    this.#reserve(8);
    this.#at = this.#bytes.writeDoubleLE(value, this.#at);
  }

  /** Writes an unsigned 32-bit integer in four bytes. */
  fixed32(value: number): void {
    this.#reserve(4);
    const bits = value | 0;
    for (let shift = 0; shift < 32; shift += 8) this.#bytes[this.#at++] = bits >>> shift;
  }

  /** Writes a time in nanoseconds since the epoch as fixed64, from seconds and nanoseconds. Exact until the year 2116. */
  nanoseconds([seconds, nanoseconds]: readonly [number, number]): void {
    // A second is 1953125 * 2^9 ns. This product is an exact double; the nanoseconds would not be.
    const units = seconds * 1_953_125;
    const high = Math.floor(units / 2 ** 23);
    // Without `%`, which for doubles takes ten times as long.
    const low = (units - high * 2 ** 23) * 512 + nanoseconds;
    const carry = low < TWO_TO_32 ? 0 : 1;
    this.fixed32(low - carry * TWO_TO_32);
    this.fixed32(high + carry);
  }

  /** Writes hexadecimal digits as length and bytes. For ids, with at most 254 digits. */
  hex(digits: string): void {
    this.#reserve(1 + digits.length / 2);
    this.#bytes[this.#at++] = digits.length / 2;
    for (let i = 0; i < digits.length; i += 2) {
      this.#bytes[this.#at++] = (digit(digits, i) << 4) | digit(digits, i + 1);
    }
  }

  /** Writes a text as length and UTF-8 bytes. */
  text(text: string): void {
    // At most three bytes for each UTF-16 unit.
    this.#reserve(MAX_VARINT_BYTES + 3 * text.length);
    if (text.length <= SHORT && this.#shortAscii(text)) return;
    const expected = varintBytes(text.length);
    const start = this.#at + expected;
    const length = this.#bytes.write(text, start, 'utf8');
    const prefix = varintBytes(length);
    if (prefix > expected) this.#bytes.copyWithin(this.#at + prefix, start, start + length);
    this.varint(length);
    this.#at += length;
  }

  /** Writes a short ASCII text. Most texts are names, for which a call of the runtime takes longer than this loop. */
  #shortAscii(text: string): boolean {
    const bytes = this.#bytes;
    const { length } = text;
    let at = this.#at;
    bytes[at++] = length;
    for (let i = 0; i < length; i++) {
      const code = text.charCodeAt(i);
      if (code > 0x7f) return false;
      bytes[at++] = code;
    }
    this.#at = at;
    return true;
  }

  /** Writes bytes without a length. */
  raw(bytes: Uint8Array): void {
    this.#reserve(bytes.length);
    this.#bytes.set(bytes, this.#at);
    this.#at += bytes.length;
  }

  #reserve(more: number): void {
    if (this.#at + more <= this.#bytes.length) return;
    const grown = Buffer.allocUnsafeSlow(Math.max(2 * this.#bytes.length, this.#at + more));
    grown.set(this.#bytes.subarray(0, this.#at));
    this.#bytes = grown;
  }
}

/** Value of a hexadecimal digit: its last four bits, plus nine for a letter, which has bit 6 set. */
function digit(digits: string, at: number): number {
  const code = digits.charCodeAt(at);
  return (code & 0xf) + 9 * (code >> 6);
}

function varintBytes(value: number): number {
  if (value < 0x80) return 1;
  if (value < 0x4000) return 2;
  return value < 0x20_0000 ? 3 : value < 0x1000_0000 ? 4 : 5;
}

const FIRST_BYTES = 64 * 1024;
const MAX_VARINT_BYTES = 10;
/** Characters of a text that is written one by one; under 128, so that its length is one byte. */
const SHORT = 48;
const TWO_TO_32 = 2 ** 32;

/** Wire types of Protocol Buffers. */
export const WIRE = { varint: 0, fixed64: 1, bytes: 2, fixed32: 5 } as const;

/**
 * Writes Protocol Buffers in one pass into a buffer that grows: a message's length is put before it when its end is known.
 * Field numbers must be under 16, so that a tag is one byte, but for {@link longTag}. One writer can write many messages,
 * one after the other.
 */
export class MessageWriter {
  #bytes = Buffer.allocUnsafeSlow(FIRST_BYTES);
  #at = 0;

  /** Forgets what was written. Before a message, in case the one before was given up half-way. */
  reset(): void {
    this.#at = 0;
  }

  /** What was written, as a copy; the writer is empty then. A small copy is a piece of a buffer that others share. */
  finish(): Buffer {
    const written = Buffer.allocUnsafe(this.#at);
    this.#bytes.copy(written, 0, 0, this.#at);
    this.#at = 0;
    return written;
  }

  tag(field: number, wire: number): void {
    this.#reserve(1);
    this.#bytes[this.#at++] = (field << 3) | wire;
  }

  /** A tag of the field numbers 16 to 2047. */
  longTag(field: number, wire: number): void {
    this.#reserve(2);
    this.#bytes[this.#at++] = ((field << 3) & 0x7f) | wire | 0x80;
    this.#bytes[this.#at++] = field >> 4;
  }

  /** Begins a message inside this one; gives what {@link end} needs. */
  begin(field: number): number {
    this.tag(field, WIRE.bytes);
    this.#reserve(1);
    return ++this.#at;
  }

  /** Ends the message that began there. */
  end(start: number): void {
    const length = this.#at - start;
    const extra = varintBytes(length) - 1;
    // Now, and not when the length is written: growing keeps what stands before the place of writing only.
    this.#reserve(MAX_VARINT_BYTES);
    if (extra > 0) this.#bytes.copyWithin(start + extra, start, this.#at);
    this.#at = start - 1;
    this.varint(length);
    this.#at += length;
  }

  /** A whole number from 0 to 2^53 - 1. */
  varint(value: number): void {
    this.#reserve(MAX_VARINT_BYTES);
    let rest = value;
    while (rest > 0x7f) {
      this.#bytes[this.#at++] = (rest % 128) | 0x80;
      rest = Math.floor(rest / 128);
    }
    this.#bytes[this.#at++] = rest;
  }

  /** Any whole number of 64 bits, in two's complement. */
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

  double(value: number): void {
    this.#reserve(8);
    this.#at = this.#bytes.writeDoubleLE(value, this.#at);
  }

  fixed32(value: number): void {
    this.#reserve(4);
    this.#at = this.#bytes.writeUInt32LE(value, this.#at);
  }

  /** Nanoseconds since the epoch as fixed64, from seconds and nanoseconds; exact until the year 2116. */
  nanoseconds([seconds, nanoseconds]: readonly [number, number]): void {
    // A second is 1953125 * 2^9 ns: this product is exact where that of the nanoseconds is not.
    const units = seconds * 1_953_125;
    const low = (units % 2 ** 23) * 512 + nanoseconds;
    this.fixed32(low % TWO_TO_32);
    this.fixed32(Math.floor(units / 2 ** 23) + Math.floor(low / TWO_TO_32));
  }

  /** Hexadecimal digits as bytes, with their length before them. For ids: at most 254 digits. */
  hex(digits: string): void {
    this.#reserve(1 + digits.length / 2);
    this.#bytes[this.#at++] = digits.length / 2;
    for (let i = 0; i < digits.length; i += 2) {
      this.#bytes[this.#at++] = (digit(digits, i) << 4) | digit(digits, i + 1);
    }
  }

  /** A text in UTF-8, with its length before it. */
  text(text: string): void {
    // Three bytes for each unit of UTF-16 at most.
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

  /** Most texts are names: a call of the runtime for each takes longer than their few letters. */
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

  /** Bytes as they are. */
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

/** The value of a hexadecimal digit: its last four bits, and nine more for a letter, which has bit 6 set. */
function digit(digits: string, at: number): number {
  const code = digits.charCodeAt(at);
  return (code & 0xf) + 9 * (code >> 6);
}

function varintBytes(value: number): number {
  if (value < 0x80) return 1;
  if (value < 0x4000) return 2;
  return value < 0x20_0000 ? 3 : value < 0x1000_0000 ? 4 : 5;
}

/** Random numbers by a seed, so that a run can be repeated. Mulberry32: no secret comes from it. */
export class Random {
  #state: number;

  constructor(seed: number) {
    this.#state = seed >>> 0;
  }

  /** A number from 0 to 1, excluding 1. */
  next(): number {
    this.#state = (this.#state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(this.#state ^ (this.#state >>> 15), this.#state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  }

  /** A whole number from 0 to `max`, excluding it. */
  below(max: number): number {
    return Math.floor(this.next() * max);
  }

  /** True in so many cases of 1. */
  chance(share: number): boolean {
    return this.next() < share;
  }

  pick<T>(choices: readonly T[]): T {
    return choices[this.below(choices.length)] as T;
  }

  bytes(length: number): Buffer {
    return Buffer.from(Array.from({ length }, () => this.below(256)));
  }

  /** Changes bytes in one to four places: flips, cuts, repeats, inserts. */
  mutate(bytes: Buffer): Buffer {
    let mutant: Buffer = Buffer.from(bytes);
    for (let changes = 1 + this.below(4); changes > 0; changes--) mutant = this.#change(mutant);
    return mutant;
  }

  #change(bytes: Buffer): Buffer {
    const at = this.below(bytes.length + 1);
    const to = at + this.below(bytes.length - at + 1);
    switch (this.below(6)) {
      case 0:
        if (at < bytes.length) bytes[at] = (bytes[at] as number) ^ (1 << this.below(8));
        return bytes;
      case 1:
        return bytes.subarray(0, at);
      case 2:
        return Buffer.concat([bytes.subarray(0, to), bytes.subarray(at)]);
      case 3:
        return Buffer.concat([bytes.subarray(0, at), this.bytes(1 + this.below(16)), bytes.subarray(at)]);
      case 4:
        return Buffer.concat([bytes.subarray(0, at), this.pick(NASTY), bytes.subarray(at)]);
      default:
        return Buffer.concat([bytes.subarray(0, at), bytes.subarray(to)]);
    }
  }
}

/** Bytes that readers of lengths, numbers and texts stumble over. */
const NASTY: readonly Buffer[] = [
  Buffer.alloc(12, 0xff),
  Buffer.alloc(9),
  Buffer.from([0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x01]),
  Buffer.from([0x0a, 0xff, 0xff, 0xff, 0xff, 0x07]),
  Buffer.from([0xed, 0xa0, 0x80]),
  Buffer.from('\r\n\r\n'),
  Buffer.from('__proto__'),
  Buffer.from('%00%ff%'),
];

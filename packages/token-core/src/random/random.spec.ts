import { describe, expect, it } from '@jest/globals';
import { ALPHANUMERIC, drawAlphanumeric } from './draw-alphanumeric.ts';
import { systemRandom } from './random-source.ts';

const textOf = (bytes: Uint8Array): string => Buffer.from(bytes).toString('latin1');

describe('drawAlphanumeric', () => {
  it('gives every character equally often when the source gives every byte equally often', () => {
    let next = 0;
    const counting = { fill: (bytes: Uint8Array) => bytes.forEach((_, i) => (bytes[i] = next++ % 256)) };
    const drawn = textOf(drawAlphanumeric(counting, 248));
    for (const character of ALPHANUMERIC) expect(drawn.split(character)).toHaveLength(5);
  });

  it('skips bytes that would make some characters likelier, and asks again when too many were skipped', () => {
    let calls = 0;
    const poor = { fill: (bytes: Uint8Array) => bytes.fill(255).fill(1, 0, calls++ % 3) };
    expect(textOf(drawAlphanumeric(poor, 16))).toBe('B'.repeat(16));
    expect(calls).toBeGreaterThan(16);
  });

  it('throws instead of running for ever when the source gives nothing usable', () => {
    expect(() => drawAlphanumeric({ fill: (bytes) => bytes.fill(255) }, 16)).toThrow('no usable bytes');
  });
});

describe('systemRandom', () => {
  it('never gives the same bytes twice, within a pool or across refills', () => {
    const seen = new Set<string>();
    for (let i = 0; i < 5000; i++) {
      const bytes = new Uint8Array(24);
      systemRandom.fill(bytes);
      seen.add(textOf(bytes));
    }
    expect(seen.size).toBe(5000);
  });

  it('fills requests of any size to the end', () => {
    for (const size of [0, 1, 4095, 4096, 4097, 20_000]) {
      const bytes = new Uint8Array(size);
      systemRandom.fill(bytes);
      const zeros = bytes.filter((byte) => byte === 0).length;
      expect(zeros).toBeLessThan(size / 64 + 12);
    }
  });
});

import { describe, expect, it } from '@jest/globals';
import { throwawayKey } from '@callpass/testkit';
import { Sealer } from './sealer.ts';

const PLAIN = Buffer.from('canary-realm-key');
const PLACE = ['realm key', 'support.example', 1] as const;

describe('Sealer', () => {
  it('opens what it sealed, also in another process with the same key', () => {
    const key = throwawayKey();
    const sealed = new Sealer(key).seal(PLACE, PLAIN);
    expect(Buffer.from(new Sealer(key).open(PLACE, sealed)).equals(PLAIN)).toBe(true);
  });

  it('opens an empty value', () => {
    const sealer = new Sealer(throwawayKey());
    expect(sealer.open(PLACE, sealer.seal(PLACE, new Uint8Array()))).toHaveLength(0);
  });

  it('refuses another key', () => {
    const sealed = new Sealer(throwawayKey()).seal(PLACE, PLAIN);
    expect(() => new Sealer(throwawayKey()).open(PLACE, sealed)).toThrow(
      expect.objectContaining({ code: 'SEAL_KEY_WRONG' }),
    );
  });

  it.each([
    ['another purpose', ['answer', 'support.example', 1]],
    ['another realm', ['realm key', 'other.example', 1]],
    ['another version', ['realm key', 'support.example', 2]],
    ['a version as text', ['realm key', 'support.example', '1']],
    ['parts cut elsewhere', ['realm key', 'support.example1', '']],
  ] as const)('refuses a value that was moved to %s', (_, place) => {
    const sealer = new Sealer(throwawayKey());
    const sealed = sealer.seal(PLACE, PLAIN);
    expect(() => sealer.open(place, sealed)).toThrow(expect.objectContaining({ code: 'SEAL_KEY_WRONG' }));
  });

  it('refuses a value with any one bit changed, and any shorter one', () => {
    const sealer = new Sealer(throwawayKey());
    const sealed = sealer.seal(PLACE, PLAIN);
    for (let at = 0; at < sealed.length; at++) {
      const changed = Uint8Array.from(sealed);
      changed[at] = (changed[at] as number) ^ 1;
      expect(() => sealer.open(PLACE, changed)).toThrow(expect.objectContaining({ code: 'SEAL_KEY_WRONG' }));
      expect(() => sealer.open(PLACE, sealed.subarray(0, at))).toThrow(
        expect.objectContaining({ code: 'SEAL_KEY_WRONG' }),
      );
    }
  });

  it('never seals the same value twice alike', () => {
    const sealer = new Sealer(throwawayKey());
    const forms = Array.from({ length: 1_000 }, () => Buffer.from(sealer.seal(PLACE, PLAIN)).toString('hex'));
    expect(new Set(forms).size).toBe(1_000);
  });

  it('refuses a key-encryption key of another length, without telling it', () => {
    expect(() => new Sealer(throwawayKey(16))).toThrow('32 bytes, found 16');
  });
});

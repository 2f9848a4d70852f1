import { serialize } from 'node:v8';
import { inspect } from 'node:util';
import { describe, expect, it } from '@jest/globals';
import {
  type Cipher,
  KeyLengthError,
  openRealmKey,
  decryptToken,
  type RealmKey,
  encryptToken,
} from '../index.ts';
import { KEYS } from '../testing/by-hand.ts';

const AT = { timestampMs: 1_700_000_000_123, unit: 'MILLISECONDS' } as const;

describe.each(Object.keys(KEYS) as Cipher[])('openRealmKey for %s', (cipher) => {
  const text = KEYS[cipher];

  it('takes text and the bytes of the text for the same key, and leaves the bytes to their owner', () => {
    const bytes = Buffer.from(text);
    const token = encryptToken(openRealmKey(cipher, bytes), 'user@kandy.example', 'TO', AT);
    expect(decryptToken(openRealmKey(cipher, text), token)?.user).toBe('sip:user@kandy.example');
    expect(bytes.toString()).toBe(text);
  });

  it('counts bytes of UTF-8, not characters', () => {
    expect(() => openRealmKey(cipher, `ë${text.slice(2)}`)).not.toThrow();
    expect(() => openRealmKey(cipher, `ë${text.slice(1)}`)).toThrow(
      expect.objectContaining({ found: text.length + 1 }),
    );
  });

  it.each([-1, 1])('refuses a key that is off by %d byte, naming both lengths and never the key', (by) => {
    const key = by < 0 ? text.slice(1) : `${text}x`;
    const refusal = refusalOf(cipher, key);
    const needed = text.length;
    expect(refusal).toBeInstanceOf(KeyLengthError);
    expect(refusal).toMatchObject({ code: 'KEY_LENGTH_INVALID', cipher, found: needed + by, needed });
    expect(inspect(refusal)).not.toContain(key.slice(0, 12));
  });

  it('lets nothing be read out of the handle', () => {
    const key = openRealmKey(cipher, text);
    encryptToken(key, 'user@kandy.example', 'TO', AT);
    const shown = [
      inspect(key, { showHidden: true, depth: null, getters: true }),
      JSON.stringify(key),
      // eslint-disable-next-line @typescript-eslint/no-base-to-string -- what it gives by default is the question
      String(key),
      JSON.stringify(structuredClone(key)),
      serialize(key).toString('latin1'),
      ...Reflect.ownKeys(key).map(String),
    ].join('\n');
    expect(Object.keys(key)).toEqual([]);
    for (const secret of [text, Buffer.from(text).toString('hex'), Buffer.from(text).toString('base64')]) {
      expect(shown.toLowerCase()).not.toContain(secret.toLowerCase());
    }
    expect(key.cipher).toBe(cipher);
  });

  it('is of no use after destroy, and may be destroyed twice', () => {
    const key = openRealmKey(cipher, text);
    const token = encryptToken(key, 'user@kandy.example', 'TO', AT);
    key.destroy();
    key.destroy();
    const destroyed = expect.objectContaining({ code: 'KEY_DESTROYED' });
    expect(() => encryptToken(key, 'user@kandy.example', 'TO', AT)).toThrow(destroyed);
    expect(() => decryptToken(key, token)).toThrow(destroyed);
  });
});

describe('openRealmKey', () => {
  it('takes unknown ciphers, and keys that are neither text nor bytes, for mistakes of the programmer', () => {
    expect(() => openRealmKey('toString' as Cipher, 'test-key-16-byte')).toThrow(TypeError);
    for (const key of [undefined, null, 16, {}, '\ud800'.repeat(5)]) {
      expect(() => openRealmKey('AES_128_ECB', key as string)).toThrow(TypeError);
    }
  });

  it('makes the only handles there are: a look-alike is refused', () => {
    const forged = Object.create(
      Object.getPrototypeOf(openRealmKey('AES_128_ECB', KEYS.AES_128_ECB)) as object,
    );
    for (const key of [forged, {}, null, undefined]) {
      expect(() => decryptToken(key as RealmKey, 'AA')).toThrow(TypeError);
    }
  });
});

function refusalOf(cipher: Cipher, key: string): unknown {
  try {
    openRealmKey(cipher, key);
  } catch (error) {
    return error;
  }
  throw new Error('the key was accepted');
}

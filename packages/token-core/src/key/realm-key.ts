import { type Cipher, type CipherRow, cipherRow } from '../cipher/cipher-table.ts';
import type { Engine } from '../cipher/engine.ts';

/** Error for a key text of the wrong length. Lengths are bytes of UTF-8; the error does not contain the key. */
export class KeyLengthError extends Error {
  override readonly name = 'KeyLengthError';
  readonly code = 'KEY_LENGTH_INVALID';
  readonly cipher: Cipher;
  readonly found: number;
  readonly needed: number;

  constructor(lengths: { readonly cipher: Cipher; readonly found: number; readonly needed: number }) {
    super(`key for ${lengths.cipher} has ${lengths.found} bytes, needed are ${lengths.needed}`);
    this.cipher = lengths.cipher;
    this.found = lengths.found;
    this.needed = lengths.needed;
  }
}

/** Error for the use of a key handle after its `destroy()`. */
export class KeyDestroyedError extends Error {
  override readonly name = 'KeyDestroyedError';
  readonly code = 'KEY_DESTROYED';

  constructor() {
    super('the key was destroyed');
  }
}

/** Content of a key for the functions of this package. Never leaves the package. */
export interface KeyInside {
  readonly row: CipherRow;
  readonly engine: Engine;
}

let insideOf: (key: RealmKey) => KeyInside;

/**
 * Opaque handle of one realm key, created by {@link openRealmKey}. Nothing reads the key back out of it, neither
 * `util.inspect` nor `JSON.stringify` nor `structuredClone`.
 */
export class RealmKey {
  readonly #row: CipherRow;
  #engine: Engine | undefined;

  /** @internal Use {@link openRealmKey}. Takes ownership of `bytes` and overwrites them. */
  constructor(row: CipherRow, bytes: Uint8Array) {
    this.#row = row;
    this.#engine = row.createEngine(bytes);
    bytes.fill(0);
  }

  /** Cipher of the key. */
  get cipher(): Cipher {
    return this.#row.cipher;
  }

  /** Erases the key from memory. Further use throws {@link KeyDestroyedError}; a second call has no effect. */
  destroy(): void {
    this.#engine?.destroy();
    this.#engine = undefined;
  }

  static {
    insideOf = (key) => {
      if (typeof key !== 'object' || key === null || !(#row in key))
        throw new TypeError('key is not a RealmKey');
      if (key.#engine === undefined) throw new KeyDestroyedError();
      return { row: key.#row, engine: key.#engine };
    };
  }
}

/** @internal Gets the row and the engine of a key. Throws TypeError for anything else, KeyDestroyedError after `destroy()`. */
export { insideOf };

/**
 * Creates the handle of a realm key. The key is the bytes of its text (UTF-8), never hex-decoded: 16 for `AES_128_ECB`, 32
 * for `AES_256_CBC_HMAC_SHA256`. Given bytes are copied; the caller may overwrite them afterwards. This creates two cipher
 * contexts, which is slow: keep the handle for all calls.
 *
 * @throws {KeyLengthError} if the length is wrong.
 * @throws {TypeError} for an unknown cipher, and if the key is neither well-formed text nor bytes.
 * @example
 * const key = openRealmKey('AES_128_ECB', 'example-16-bytes');
 * console.log(key.cipher); // AES_128_ECB
 * key.destroy();
 */
export function openRealmKey(cipher: Cipher, keyText: string | Uint8Array): RealmKey {
  const row = cipherRow(cipher);
  const isText = typeof keyText === 'string';
  if (isText ? !keyText.isWellFormed() : !(keyText instanceof Uint8Array)) {
    throw new TypeError('key is neither well-formed text nor bytes');
  }
  const found = isText ? Buffer.byteLength(keyText, 'utf8') : keyText.length;
  if (found !== row.keyBytes) throw new KeyLengthError({ cipher, found, needed: row.keyBytes });
  // Buffer.from would put the key into a pool that it shares with others.
  const bytes = Buffer.alloc(found);
  if (isText) bytes.write(keyText, 'utf8');
  else bytes.set(keyText);
  return new RealmKey(row, bytes);
}

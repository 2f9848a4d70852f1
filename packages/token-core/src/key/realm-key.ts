import { type Cipher, type CipherRow, cipherRow } from '../cipher/cipher-table.ts';
import type { Engine } from '../cipher/engine.ts';
import { KeyDestroyedError, KeyLengthError } from './key-errors.ts';

/** What the functions of this package see of a key. Never leaves the package. */
export interface KeyInside {
  readonly row: CipherRow;
  readonly engine: Engine;
}

let insideOf: (key: RealmKey) => KeyInside;

/**
 * The opaque handle of one realm key: it encrypts and decrypts, and nothing reads the key back out of it, neither
 * `util.inspect` nor `JSON.stringify` nor `structuredClone`. Made by {@link openRealmKey}.
 */
export class RealmKey {
  readonly #row: CipherRow;
  #engine: Engine | undefined;

  /** @internal Use {@link openRealmKey}. Takes over `bytes` and wipes them. */
  constructor(row: CipherRow, bytes: Uint8Array) {
    this.#row = row;
    this.#engine = row.createEngine(bytes);
    bytes.fill(0);
  }

  /** The cipher the key was opened for. */
  get cipher(): Cipher {
    return this.#row.cipher;
  }

  /** Wipes the key from memory. Further use throws {@link KeyDestroyedError}; destroying again does nothing. */
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

/** @internal The row and the engine of a key. Throws TypeError for anything else, KeyDestroyedError after `destroy()`. */
export { insideOf };

/**
 * Opens a realm key for use. A key is the text's own bytes (UTF-8), never hex-decoded: 16 for `AES_128_ECB`, 32 for
 * `AES_256_CBC_HMAC_SHA256`. The given bytes are copied and stay the caller's to wipe. Costs two cipher contexts: open a
 * key once, not once a call. Throws {@link KeyLengthError} when the length is wrong, TypeError for anything that is
 * no text.
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

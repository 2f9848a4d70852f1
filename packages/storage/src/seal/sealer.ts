import { createCipheriv, createDecipheriv, createSecretKey, hkdfSync, randomBytes } from 'node:crypto';
import type { KeyObject } from 'node:crypto';
import { StoreError } from '@callpass/domain';
import { SEAL_KEY_BYTES, SealKeyError } from './seal-key.ts';

/** Place of a sealed value: its purpose, then the names that tell it from others of its kind. */
export type SealPlace = readonly [purpose: string, ...names: (string | number)[]];

const FORMAT_VERSION = 1;
const SALT_BYTES = 16;
const NONCE_BYTES = 12;
const TAG_BYTES = 16;
const HEAD_BYTES = 1 + SALT_BYTES + NONCE_BYTES;

/** Far below the 2^32 that random nonces allow one key (NIST SP 800-38D, section 8.3). */
const SEALS_PER_KEY = 2 ** 20;

/**
 * Seals values for their place in the store: AES-256-GCM (NIST SP 800-38D) with the place as associated data, so that a
 * value copied to another place does not open.
 *
 * A sealed value is: format version (1 byte), salt (16), nonce (12), ciphertext, tag (16). The key is derived from the
 * key-encryption key and the salt (HKDF, RFC 5869); each sealer uses a salt of its own and takes another one in time,
 * since a busy service remembers more answers than random nonces allow one key.
 */
export class Sealer {
  readonly #root: KeyObject;
  #salt = randomBytes(SALT_BYTES);
  #key: KeyObject;
  #seals = 0;

  /** @param key 32 bytes; the caller may wipe them afterwards. */
  constructor(key: Uint8Array) {
    if (key.length !== SEAL_KEY_BYTES) {
      throw new SealKeyError(`the key-encryption key must be ${SEAL_KEY_BYTES} bytes, found ${key.length}`);
    }
    this.#root = createSecretKey(key);
    this.#key = this.#derive(this.#salt);
  }

  /** The sealed form of `plain`, for this place only. */
  seal(place: SealPlace, plain: Uint8Array): Uint8Array {
    if (this.#seals++ === SEALS_PER_KEY) this.#takeAnotherKey();
    const nonce = randomBytes(NONCE_BYTES);
    const cipher = createCipheriv('aes-256-gcm', this.#key, nonce, { authTagLength: TAG_BYTES });
    cipher.setAAD(contextOf(place));
    const body = cipher.update(plain);
    cipher.final();
    return Buffer.concat([Uint8Array.of(FORMAT_VERSION), this.#salt, nonce, body, cipher.getAuthTag()]);
  }

  /** Opens what was sealed for this place. Throws {@link StoreError} `SEAL_KEY_WRONG` when this key did not seal it for here. */
  open(place: SealPlace, sealed: Uint8Array): Uint8Array {
    if (sealed.length < HEAD_BYTES + TAG_BYTES || sealed[0] !== FORMAT_VERSION) throw wrongKey(place);
    const key = this.#derive(sealed.subarray(1, 1 + SALT_BYTES));
    const nonce = sealed.subarray(1 + SALT_BYTES, HEAD_BYTES);
    const decipher = createDecipheriv('aes-256-gcm', key, nonce, { authTagLength: TAG_BYTES });
    decipher.setAAD(contextOf(place));
    decipher.setAuthTag(sealed.subarray(sealed.length - TAG_BYTES));
    const plain = decipher.update(sealed.subarray(HEAD_BYTES, sealed.length - TAG_BYTES));
    try {
      decipher.final();
    } catch {
      plain.fill(0);
      throw wrongKey(place);
    }
    return plain;
  }

  #takeAnotherKey(): void {
    this.#salt = randomBytes(SALT_BYTES);
    this.#key = this.#derive(this.#salt);
    this.#seals = 1;
  }

  #derive(salt: Uint8Array): KeyObject {
    const bytes = Buffer.from(hkdfSync('sha256', this.#root, salt, 'callpass seal', 32));
    const key = createSecretKey(bytes);
    bytes.fill(0);
    return key;
  }
}

/** JSON keeps the parts apart, whatever characters they hold. */
function contextOf(place: SealPlace): Buffer {
  return Buffer.from(JSON.stringify([FORMAT_VERSION, ...place]));
}

function wrongKey([purpose]: SealPlace): StoreError {
  return new StoreError('SEAL_KEY_WRONG', `the key-encryption key does not open this store (${purpose})`);
}

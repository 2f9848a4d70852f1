import { createHmac, createSecretKey, hkdfSync, type KeyObject } from 'node:crypto';

const SECRET_BYTES = 32;

/**
 * Names things in the ledger without revealing them: the same input gives the same name, and without the key nobody can
 * try inputs. HMAC-SHA-256 cut to its first bytes, with a key of its own for each use (HKDF, RFC 5869).
 */
export class KeyedHash {
  readonly #subject: KeyObject;
  readonly #token: KeyObject;
  readonly #realmKey: KeyObject;

  /** @param secret 32 bytes, the same on every instance of the service. Throws TypeError for any other length. */
  constructor(secret: Uint8Array) {
    if (secret.length !== SECRET_BYTES)
      throw new TypeError(`the ledger's secret needs ${SECRET_BYTES} bytes`);
    this.#subject = derive(secret, 'subject');
    this.#token = derive(secret, 'token');
    this.#realmKey = derive(secret, 'realm key');
  }

  /** A visitor's name as 32 hexadecimal digits; empty for an empty subject. */
  subject(subject: string): string {
    return subject === '' ? '' : mac(this.#subject, subject).toString('hex', 0, 16);
  }

  /** A token's fingerprint, 16 bytes. */
  token(token: string): Uint8Array {
    return mac(this.#token, token).subarray(0, 16);
  }

  /** A realm key's fingerprint as 16 hexadecimal digits. */
  realmKey(key: Uint8Array): string {
    return mac(this.#realmKey, key).toString('hex', 0, 8);
  }
}

function mac(key: KeyObject, input: string | Uint8Array): Buffer {
  return createHmac('sha256', key).update(input).digest();
}

function derive(secret: Uint8Array, use: string): KeyObject {
  return createSecretKey(Buffer.from(hkdfSync('sha256', secret, '', `callpass ledger ${use}`, 32)));
}

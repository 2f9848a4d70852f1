import { createHash, hkdfSync } from 'node:crypto';
import type { TokenFingerprints } from '@callpass/ledger';
import { createMessageAuthenticator, type MessageAuthenticator } from '@callpass/token-core';
import type { IssuedTokens } from './ports.ts';

const SECRET_BYTES = 32;
/** Longest input of a keyed hash: a token is at most 4096 characters, a subject 256 bytes. */
export const MAX_KEYED_HASH_BYTES = 8192;

/**
 * Names things in the ledger without revealing them: the same input gives the same name, and without the key nobody can
 * try inputs. HMAC-SHA-256 cut to its first bytes, with a key of its own for each use (HKDF, RFC 5869). Inputs are at most
 * 8,192 bytes; RangeError beyond.
 */
export class KeyedHash {
  readonly #subject: MessageAuthenticator;
  readonly #token: MessageAuthenticator;
  readonly #realmKey: MessageAuthenticator;
  readonly #request: MessageAuthenticator;

  /** @param secret 32 bytes, the same on every instance of the service. Throws TypeError for any other length. */
  constructor(secret: Uint8Array) {
    if (secret.length !== SECRET_BYTES)
      throw new TypeError(`the ledger's secret needs ${SECRET_BYTES} bytes`);
    this.#subject = derive(secret, 'subject');
    this.#token = derive(secret, 'token');
    this.#realmKey = derive(secret, 'realm key');
    this.#request = derive(secret, 'request');
  }

  /** A visitor's name as 32 hexadecimal digits; empty for an empty subject. */
  subject(subject: string): string {
    return subject === '' ? '' : mac(this.#subject, subject).slice(0, 32);
  }

  /** A token's fingerprint, 16 bytes. */
  token(token: string): Uint8Array {
    return Buffer.from(mac(this.#token, token).slice(0, 32), 'hex');
  }

  /** The fingerprints of an issue's tokens. */
  tokens({ account, from, to }: IssuedTokens): TokenFingerprints {
    return { account: this.token(account), from: this.token(from), to: this.token(to) };
  }

  /** A realm key's fingerprint as 16 hexadecimal digits. */
  realmKey(key: Uint8Array): string {
    return mac(this.#realmKey, key).slice(0, 16);
  }

  /**
   * The hash of a request with an id, 32 bytes. Nobody without the secret can make that of another body, try visitors' names on it, or
   * use it for another client or id.
   */
  request({ client, requestId, body }: { client: string; requestId: string; body: Uint8Array }): Uint8Array {
    const digest = createHash('sha256').update(body).digest('hex');
    return Buffer.from(mac(this.#request, `${client}\n${requestId}\n${digest}`), 'hex');
  }
}

function mac(authenticator: MessageAuthenticator, input: string | Uint8Array): string {
  const { message } = authenticator;
  const length = Buffer.byteLength(input);
  if (length > message.length) throw new RangeError('the input of a keyed hash is too long');
  if (typeof input === 'string') message.write(input, 0, 'utf8');
  else message.set(input);
  const name = authenticator.sign(length);
  message.fill(0, 0, length);
  return name;
}

function derive(secret: Uint8Array, use: string): MessageAuthenticator {
  const key = new Uint8Array(hkdfSync('sha256', secret, '', `callpass ledger ${use}`, 32));
  return createMessageAuthenticator(key, MAX_KEYED_HASH_BYTES);
}

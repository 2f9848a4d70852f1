import { insideOf, type RealmKey } from '../key/realm-key.ts';
import { type RandomSource, systemRandom } from '../random/random-source.ts';
import { assertUser } from '../user/assert-user.ts';
import { SIP_SCHEME, type TimestampUnit, timestampIn, type TokenKind } from './plaintext.ts';

/** Time of issue, its unit, and the source of randomness. */
export interface EncryptOptions {
  /** Time of issue, in whole milliseconds since the epoch. Rounded down for a realm that counts seconds. */
  readonly timestampMs: number;
  /** Unit of the realm's timestamps. */
  readonly unit: TimestampUnit;
  /** Source of the IVs of CBC tokens; not used for ECB. Default: {@link systemRandom}. */
  readonly random?: RandomSource;
}

/** Users of one call, each `user@domain` without `sip:` (see {@link assertUser}). */
export interface CallUsers {
  /** The account on the vendor's side that pays for the call. */
  readonly account: string;
  /** The caller that the callee sees. */
  readonly from: string;
  /** The callee. */
  readonly to: string;
}

/** Call whose tokens are encrypted together with those of others. */
export interface CallToEncrypt extends Pick<EncryptOptions, 'timestampMs' | 'unit'> {
  readonly users: CallUsers;
}

/** The three tokens of one call, named as in the credentials of the vendor's `call.makeAnonymous`. */
export interface EncryptedCredentials {
  readonly accountToken: string;
  readonly fromToken: string;
  readonly toToken: string;
}

/**
 * Encrypts the three tokens of one call. They share one timestamp; each CBC token has its own IV. Hex is written in upper
 * case. Errors of the random source are passed on.
 *
 * @throws {UserInvalidError} if a user cannot be encrypted.
 * @throws {TypeError} if an argument has the wrong type or is out of range.
 * @throws {KeyDestroyedError} if the key was destroyed.
 * @example
 * const key = openRealmKey('AES_128_ECB', 'example-16-bytes');
 * const users = { account: 'anonymous@kandy.example', from: 'anonymous@kandy.example', to: 'support@kandy.example' };
 * const tokens = encryptCredentials(key, users, { timestampMs: Date.now(), unit: 'MILLISECONDS' });
 * console.log(Object.keys(tokens).join(' ')); // accountToken fromToken toToken
 */
export function encryptCredentials(
  key: RealmKey,
  users: CallUsers,
  options: EncryptOptions,
): EncryptedCredentials {
  const { timestampMs, unit, random } = options;
  return encryptAll(key, [{ users, timestampMs, unit }], random)[0] as EncryptedCredentials;
}

/**
 * Encrypts the tokens of many calls, each as {@link encryptCredentials} would. Those of an ECB realm take a fourth of the time, since
 * they go through the cipher together; CBC tokens have an IV each. Keeps the order. All or none: an error is that of the first call
 * that has one.
 *
 * @throws as {@link encryptCredentials}.
 * @example
 * const key = openRealmKey('AES_128_ECB', 'example-16-bytes');
 * const users = { account: 'anonymous@kandy.example', from: 'anonymous@kandy.example', to: 'support@kandy.example' };
 * const call = { users, timestampMs: Date.now(), unit: 'MILLISECONDS' };
 * console.log(encryptAll(key, [call, call]).length); // 2
 */
export function encryptAll(
  key: RealmKey,
  calls: readonly CallToEncrypt[],
  random: RandomSource = systemRandom,
): EncryptedCredentials[] {
  const { row, engine } = insideOf(key);
  const plaintexts: string[] = [];
  for (const { users, timestampMs, unit } of calls) {
    const { account, from, to } = users;
    assertUser(account);
    if (from !== account) assertUser(from);
    assertUser(to);
    const tail = row.separator + timestampIn(unit, timestampMs);
    plaintexts.push(account + tail, SIP_SCHEME + from + tail, SIP_SCHEME + to + tail);
  }
  const tokens = engine.encrypt(plaintexts, random);
  return calls.map((_, index) => ({
    accountToken: tokens[3 * index] as string,
    fromToken: tokens[3 * index + 1] as string,
    toToken: tokens[3 * index + 2] as string,
  }));
}

/**
 * Encrypts one token; `sip:` is added in front of the user of `FROM` and `TO`.
 *
 * @throws as {@link encryptCredentials}.
 * @example
 * const key = openRealmKey('AES_128_ECB', 'example-16-bytes');
 * const token = encryptToken(key, 'support@kandy.example', 'TO', { timestampMs: 1_700_000_000_123, unit: 'MILLISECONDS' });
 * console.log(token.length); // 96
 */
export function encryptToken(key: RealmKey, user: string, kind: TokenKind, options: EncryptOptions): string {
  assertUser(user);
  assertKind(kind);
  const { row, engine } = insideOf(key);
  const scheme = kind === 'ACCOUNT' ? '' : SIP_SCHEME;
  const plaintext = scheme + user + row.separator + timestampIn(options.unit, options.timestampMs);
  return engine.encrypt([plaintext], options.random ?? systemRandom)[0] as string;
}

/** Throws TypeError for an unknown kind of token. */
export function assertKind(kind: TokenKind): void {
  if (kind !== 'ACCOUNT' && kind !== 'FROM' && kind !== 'TO') {
    throw new TypeError('kind is none of ACCOUNT, FROM and TO');
  }
}

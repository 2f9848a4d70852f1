import { insideOf, type RealmKey } from '../key/realm-key.ts';
import { type RandomSource, systemRandom } from '../random/random-source.ts';
import { assertUser } from '../user/assert-user.ts';
import { SIP_SCHEME, type TimestampUnit, timestampIn, type TokenKind } from './plaintext.ts';

/** When, in which unit and with which randomness tokens are made. */
export interface EncryptOptions {
  /** The moment of making, whole milliseconds since the epoch. A realm in seconds gets the second it lies in. */
  readonly timestampMs: number;
  /** The unit of the realm. */
  readonly unit: TimestampUnit;
  /** Source of the IVs of CBC tokens; ECB takes nothing from it. Default {@link systemRandom}. */
  readonly random?: RandomSource;
}

/** The users of one call, each `user@domain` without `sip:` (see {@link assertUser}). */
export interface CallUsers {
  /** The account on the vendor's side that pays for the call. */
  readonly account: string;
  /** Who the call is said to come from. */
  readonly from: string;
  /** Who is called. */
  readonly to: string;
}

/** The three tokens of one call, under the names the vendor's `call.makeAnonymous` takes them. */
export interface EncryptedCredentials {
  readonly accountToken: string;
  readonly fromToken: string;
  readonly toToken: string;
}

/**
 * Makes the three tokens of one call, all with one timestamp, each CBC token with an IV of its own. Hex is written in
 * upper case. Throws {@link UserInvalidError} for a user that cannot be encrypted, KeyDestroyedError, TypeError for arguments
 * of the wrong kind, and whatever the random source throws.
 */
export function encryptCredentials(
  key: RealmKey,
  users: CallUsers,
  options: EncryptOptions,
): EncryptedCredentials {
  const { account, from, to } = users;
  assertUser(account);
  if (from !== account) assertUser(from);
  assertUser(to);
  const { row, engine } = insideOf(key);
  const tail = row.separator + timestampIn(options.unit, options.timestampMs);
  const tokens = engine.encrypt(
    [account + tail, SIP_SCHEME + from + tail, SIP_SCHEME + to + tail],
    options.random ?? systemRandom,
  ) as [string, string, string];
  return { accountToken: tokens[0], fromToken: tokens[1], toToken: tokens[2] };
}

/** Makes one token; `sip:` is added for `FROM` and `TO`. Errors as for {@link encryptCredentials}. */
export function encryptToken(key: RealmKey, user: string, kind: TokenKind, options: EncryptOptions): string {
  assertUser(user);
  assertKind(kind);
  const { row, engine } = insideOf(key);
  const scheme = kind === 'ACCOUNT' ? '' : SIP_SCHEME;
  const plaintext = scheme + user + row.separator + timestampIn(options.unit, options.timestampMs);
  return engine.encrypt([plaintext], options.random ?? systemRandom)[0] as string;
}

/** Throws TypeError for a name that is no kind of token. */
export function assertKind(kind: TokenKind): void {
  if (kind !== 'ACCOUNT' && kind !== 'FROM' && kind !== 'TO') {
    throw new TypeError('kind is none of ACCOUNT, FROM and TO');
  }
}

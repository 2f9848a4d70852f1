import { type VerificationRules, verifyToken, type TokenVerification, type Verdict } from './verify.ts';
import { withoutSip } from './plaintext.ts';
import type { RealmKeyVersion } from './decrypt.ts';
import type { EncryptedCredentials } from './encrypt.ts';

/** Rules of a realm, and the expected users. A user that is undefined is not checked. */
export interface CredentialsRules extends Omit<VerificationRules, 'kind'> {
  /** Expected user of the to token; a leading `sip:` on either side is ignored. */
  readonly expectedCallee?: string | undefined;
  /** Expected user of the from token; a leading `sip:` on either side is ignored. */
  readonly expectedCaller?: string | undefined;
}

/** Verdict on the three tokens of a call together, and on each. */
export interface CredentialsVerification {
  readonly verdict: Verdict;
  readonly account: TokenVerification;
  readonly from: TokenVerification;
  readonly to: TokenVerification;
}

/**
 * Verifies the three tokens of a call, each for its own kind.
 *
 * The overall verdict is the first that is not `VALID` of account, from and to, in this order: the order in which the
 * vendor's gateway checks them, as the subscription carries the account token alone. If all three are valid, it is
 * `MISMATCHED` unless they share one timestamp and one key version and hold the expected users. The three users may differ
 * from each other. A from token passes as a to token for the same user, since nothing in a token distinguishes the two.
 *
 * @throws {TypeError} if an argument has the wrong type or a rule is out of range.
 * @throws {KeyDestroyedError} if one of the keys was destroyed.
 * @example
 * const key = openRealmKey('AES_256_CBC_HMAC_SHA256', 'an-example-key-of-just-32-bytes!');
 * const users = { account: 'anonymous@kandy.example', from: 'anonymous@kandy.example', to: 'support@kandy.example' };
 * const tokens = encryptCredentials(key, users, { timestampMs: 1_700_000_000_123, unit: 'MILLISECONDS' });
 * const { verdict } = verifyCredentials([{ version: 1, key }], tokens, {
 *   lifetimeMs: 600_000,
 *   maxClockSkewMs: 30_000,
 *   unit: 'MILLISECONDS',
 *   nowMs: 1_700_000_060_000,
 *   expectedCallee: 'sales@kandy.example',
 * });
 * console.log(verdict); // MISMATCHED
 */
export function verifyCredentials(
  keys: readonly RealmKeyVersion[],
  credentials: EncryptedCredentials,
  rules: CredentialsRules,
): CredentialsVerification {
  const account = verifyToken(keys, credentials.accountToken, { ...rules, kind: 'ACCOUNT' });
  const from = verifyToken(keys, credentials.fromToken, { ...rules, kind: 'FROM' });
  const to = verifyToken(keys, credentials.toToken, { ...rules, kind: 'TO' });
  const parts = [account, from, to];
  const failed = parts.find(({ verdict }) => verdict !== 'VALID');
  const alike = parts.every(
    (part) => part.issueTimeMs === account.issueTimeMs && part.keyVersion === account.keyVersion,
  );
  const expected = isUser(to, rules.expectedCallee) && isUser(from, rules.expectedCaller);
  return { verdict: failed?.verdict ?? (alike && expected ? 'VALID' : 'MISMATCHED'), account, from, to };
}

function isUser(verification: TokenVerification, expected: string | undefined): boolean {
  return expected === undefined || withoutSip(verification.user ?? '') === withoutSip(expected);
}

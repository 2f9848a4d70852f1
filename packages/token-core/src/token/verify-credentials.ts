import { type VerificationRules, verifyToken, type TokenVerification, type Verdict } from './verify.ts';
import { withoutSip } from './plaintext.ts';
import type { RealmKeyVersion } from './decrypt.ts';
import type { EncryptedCredentials } from './encrypt.ts';

/** The realm's rules, and whom the call is meant to join; what is left out is not checked. */
export interface CredentialsRules extends Omit<VerificationRules, 'kind'> {
  /** The user the to token must hold; `sip:` on either side does not count. */
  readonly expectedCallee?: string | undefined;
  /** The user the from token must hold; `sip:` on either side does not count. */
  readonly expectedCaller?: string | undefined;
}

/** The verdict on the three tokens of a call, and on each. */
export interface CredentialsVerification {
  readonly verdict: Verdict;
  readonly account: TokenVerification;
  readonly from: TokenVerification;
  readonly to: TokenVerification;
}

/**
 * Verifies the three tokens of a call, each for its own kind.
 *
 * The verdict on the whole is the first that is not `VALID` of account, from and to, in this order: it is what a gateway meets
 * first, as the subscription carries the account token alone. When all are valid it is `MISMATCHED` unless they have one
 * timestamp and one key version and hold the users expected. Users may differ from each other, an account calls other
 * people; and a from token for someone serves as a to token for him, nothing in a token tells. Throws as
 * {@link verifyToken} does.
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

import { type CipherRow, CIPHERS } from '../cipher/cipher-table.ts';
import { insideOf } from '../key/realm-key.ts';
import { findFormFaults, isWellFormed } from '../token/form.ts';
import {
  hasWrongUnit,
  type VerificationRules,
  verifyToken,
  timesOf,
  type TokenTimes,
  type Verdict,
} from '../token/verify.ts';
import { type DecryptedToken, withoutSip } from '../token/plaintext.ts';
import type { RealmKeyVersion, TokenDecryption } from '../token/decrypt.ts';
import { type Finding, finding } from './findings.ts';
import { repairToken } from './repair.ts';

/** Diagnosis of a token, for operators. It reveals more than a caller may know. */
export interface Diagnosis {
  /** Result of {@link verifyToken} for the text as given. */
  readonly verdict: Verdict;
  /** User in the token, with `sip:` if it is there; escape before showing. Absent if no key decrypts the token. */
  readonly user?: string;
  /** Timestamp in the token, unchanged. */
  readonly timestamp?: number;
  /** Time of issue in milliseconds since the epoch, in the unit that fits the size of the timestamp. */
  readonly issueTimeMs?: number;
  /** `issueTimeMs + lifetimeMs`. */
  readonly expireTimeMs?: number;
  /** Newest key version that decrypts the token. */
  readonly keyVersion?: number;
  /** Findings, repairs of the text first. Empty for a valid token without anything unusual. */
  readonly findings: readonly Finding[];
}

const ROWS: readonly CipherRow[] = Object.values(CIPHERS);

/**
 * Explains why a token is refused. The verdict is that of the text as given. Percent-encoding, white space, quotation marks
 * and lower-case hex are repaired first, and the rest of the diagnosis describes the repaired token. Any string gets a
 * diagnosis.
 *
 * It distinguishes a bad MAC, bad padding and a missing timestamp, which {@link verifyToken} does not: show it to operators
 * only.
 *
 * @throws as {@link verifyToken}.
 * @example
 * const key = openRealmKey('AES_128_ECB', 'example-16-bytes');
 * const timestampMs = 1_700_000_000_123;
 * const token = encryptToken(key, 'support@kandy.example', 'TO', { timestampMs, unit: 'SECONDS' });
 * const { findings } = explainToken([{ version: 1, key }], ` ${token}`, {
 *   lifetimeMs: 600_000,
 *   maxClockSkewMs: 30_000,
 *   unit: 'MILLISECONDS',
 *   nowMs: timestampMs,
 * });
 * console.log(findings.map(({ code }) => code).join(' ')); // WHITESPACE SECONDS_FOR_MILLISECONDS
 */
export function explainToken(
  keys: readonly RealmKeyVersion[],
  token: string,
  rules: VerificationRules,
): Diagnosis {
  const { verdict } = verifyToken(keys, token, rules);
  const { text, reading, repairs } = repairToken(keys, ROWS, token);
  if (reading.decrypted === undefined) {
    return { verdict, findings: [...repairs, ...obstacles(keys, text, reading)] };
  }
  const { user, timestamp, keyVersion } = reading.decrypted;
  const unit = hasWrongUnit(reading.decrypted, rules.unit) ? otherUnit(rules) : rules.unit;
  const times = timesOf(timestamp, { unit, lifetimeMs: rules.lifetimeMs });
  const findings = [
    ...repairs,
    ...keyFindings(keys, keyVersion),
    ...contentFindings(reading.decrypted, rules),
    ...timeFindings(times, rules),
  ];
  return { verdict, user, timestamp, ...times, keyVersion, findings };
}

function otherUnit(rules: VerificationRules): VerificationRules['unit'] {
  return rules.unit === 'SECONDS' ? 'MILLISECONDS' : 'SECONDS';
}

function obstacles(keys: readonly RealmKeyVersion[], text: string, reading: TokenDecryption): Finding[] {
  const [first] = keys;
  if (first === undefined) return [finding('NO_KEY', {})];
  if (reading.wellFormed) return decryptionFindings(reading);
  const other = ROWS.find((row) => isWellFormed(row, text));
  if (other !== undefined) return [finding('OTHER_CIPHER_FORM', { cipher: other.cipher })];
  return findFormFaults(insideOf(first.key).row, text).map((fault) => finding(fault.code, fault));
}

function decryptionFindings({ decryptions }: TokenDecryption): Finding[] {
  if (decryptions.every(({ authentic }) => authentic === false)) return [finding('MAC_MISMATCH', {})];
  if (decryptions.some(({ authentic, plaintext }) => authentic === true || plaintext !== undefined)) {
    return [finding('NO_TIMESTAMP', {})];
  }
  const legible = decryptions.some(({ legibleStart }) => legibleStart);
  return [legible ? finding('TRUNCATED', {}) : finding('WRONG_KEY_OR_DAMAGED', {})];
}

function keyFindings(keys: readonly RealmKeyVersion[], keyVersion: number): Finding[] {
  const newestVersion = keys.reduce((newest, { version }) => Math.max(newest, version), keyVersion);
  return keyVersion === newestVersion ? [] : [finding('OLDER_KEY', { keyVersion, newestVersion })];
}

function contentFindings(decrypted: DecryptedToken, { unit, kind }: VerificationRules): Finding[] {
  const { user, digits } = decrypted;
  const findings: Finding[] = [];
  if (hasWrongUnit(decrypted, unit)) {
    findings.push(
      unit === 'MILLISECONDS'
        ? finding('SECONDS_FOR_MILLISECONDS', { digits })
        : finding('MILLISECONDS_FOR_SECONDS', { digits }),
    );
  }
  const bare = withoutSip(user);
  if (kind === 'ACCOUNT' && bare !== user) findings.push(finding('EXTRA_SIP', {}));
  if (kind !== undefined && kind !== 'ACCOUNT' && bare === user) findings.push(finding('MISSING_SIP', {}));
  if (withoutSip(bare) !== bare) findings.push(finding('DOUBLE_SIP', {}));
  return findings;
}

function timeFindings(times: TokenTimes, { nowMs, maxClockSkewMs }: VerificationRules): Finding[] {
  const earlyByMs = times.issueTimeMs - nowMs;
  if (earlyByMs > maxClockSkewMs) {
    return [finding('NOT_YET_VALID_BY', { earlyByMs, validInMs: earlyByMs - maxClockSkewMs })];
  }
  const expiredByMs = nowMs - times.expireTimeMs;
  return expiredByMs >= 0 ? [finding('EXPIRED_BY', { expiredByMs })] : [];
}

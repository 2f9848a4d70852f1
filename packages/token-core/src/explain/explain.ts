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

/** What is to be said of a token to an operator, who may know more than a caller. */
export interface Diagnosis {
  /** What {@link verifyToken} says of the text as given. */
  readonly verdict: Verdict;
  /** The user inside, with `sip:` if it is there; escape before showing. Absent when no key decrypts the token. */
  readonly user?: string;
  /** The number inside, as it is. */
  readonly timestamp?: number;
  /** The time inside in milliseconds since the epoch, read in the unit the number has the size of. */
  readonly issueTimeMs?: number;
  /** `issueTimeMs + lifetimeMs`. */
  readonly expireTimeMs?: number;
  /** The newest key version that decrypts it. */
  readonly keyVersion?: number;
  /** What was found, what was done to the text first. Empty for a valid token with nothing odd about it. */
  readonly findings: readonly Finding[];
}

const ROWS: readonly CipherRow[] = Object.values(CIPHERS);

/**
 * Says why a token is refused. The verdict is that of the text as given; where percent-encoding, white space, quotation
 * marks or lower case hide the token, the rest tells of the token behind them. It tells apart what {@link verifyToken} does
 * not (bad MAC, bad padding, no timestamp), so answer it to operators only. Any text gets a diagnosis; throws as verifyToken
 * does.
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

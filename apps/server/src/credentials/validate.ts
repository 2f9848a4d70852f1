import { timingSafeEqual } from 'node:crypto';
import { covers, type Clock, type KeyedHash, type LedgerEntry, type Store } from '@callpass/domain';
import {
  ATTR_REALM,
  ATTR_VERDICT,
  setSpanAttributes,
  SPAN_FIND_ISSUED,
  SPAN_VERIFY,
} from '@callpass/telemetry';
import {
  canonicalToken,
  verifyCredentials,
  verifyToken,
  type CredentialsVerification,
  type EncryptedCredentials,
  type TokenVerification,
  type TokenKind,
  type Verdict,
} from '@callpass/token-core';
import type { Caller, RefusalRecords } from '../errors/refusal-records.ts';
import { Refusal } from '../errors/refusal.ts';
import { step } from '../errors/steps.ts';
import { seesEverything } from '../state/principal.ts';
import { decryptionKeys, type Snapshot, type SnapshotRealm } from '../state/snapshot.ts';
import { assertNewest, type FollowedState } from './decide.ts';
import type { CredentialMetrics } from './metrics.ts';

/** Ports that validating needs. */
export interface ValidateDependencies {
  readonly state: FollowedState;
  readonly store: Pick<Store, 'findIssued' | 'hasRemoved'>;
  readonly refusals: Pick<RefusalRecords, 'record'>;
  readonly clock: Clock;
  readonly keyedHash: KeyedHash;
  readonly metrics: Pick<CredentialMetrics, 'validated'>;
}

/** A token to validate. */
export interface TokenQuery {
  readonly realm: string;
  readonly token: string;
  readonly kind: TokenKind | undefined;
  readonly requireIssuedHere: boolean;
  /** Set for the token of a call that goes on: it may have expired, and its record may be gone. */
  readonly ignoreExpiry: boolean;
}

/** A set to validate. */
export interface CredentialsQuery {
  readonly realm: string;
  readonly tokens: EncryptedCredentials;
  readonly expectedCallee: string | undefined;
  readonly expectedCaller: string | undefined;
  readonly requireIssuedHere: boolean;
}

/**
 * Validates one token: its form and time by the realm's rules, then what only this service knows: whether it was issued here
 * and for this use, and whether it is frozen.
 *
 * @throws {Refusal} when the realm is not for this client to ask about.
 */
export async function validateToken(
  dependencies: ValidateDependencies,
  caller: Caller,
  query: TokenQuery,
): Promise<TokenVerification> {
  const { snapshot } = dependencies.state;
  const realm = await realmOf(dependencies, caller, query.realm);
  const nowMs = dependencies.clock.now();
  const verification = step(SPAN_VERIFY, () =>
    verifyToken(decryptionKeys(realm, nowMs), query.token, { ...rulesOf(realm), nowMs, kind: query.kind }),
  );
  assertKeysOpened(dependencies, realm, [verification]);
  const verdict = await verdictOnToken(dependencies, { snapshot, realm, nowMs }, query, verification);
  return report(dependencies, query, { ...verification, verdict });
}

/** State and time of a check. */
interface Asked {
  readonly snapshot: Snapshot;
  readonly realm: SnapshotRealm;
  readonly nowMs: number;
}

/**
 * Verdict on a token: that of its form and time, and for what they find `VALID` also what only this service knows. What has
 * expired may be frozen too: a proxy lets it continue a call.
 */
export async function verdictOnToken(
  dependencies: Pick<ValidateDependencies, 'store' | 'keyedHash'>,
  { snapshot, realm, nowMs }: Asked,
  query: TokenQuery,
  verification: Pick<TokenVerification, 'verdict' | 'issueTimeMs'>,
): Promise<Verdict> {
  const { issueTimeMs = 0 } = verification;
  const isPast = query.ignoreExpiry && verification.verdict === 'EXPIRED';
  const verdict = isPast ? 'VALID' : verification.verdict;
  if (!isOfUse(verdict)) return verdict;
  const records = await recordsOf(dependencies, snapshot, query, [{ issueTimeMs, verdict }]);
  const issued = records && matches(records, fingerprintOf(dependencies, realm, query.token));
  const mayBeGone = query.requireIssuedHere && query.ignoreExpiry && issued?.length === 0;
  const isGone =
    mayBeGone && (await step(SPAN_FIND_ISSUED, () => dependencies.store.hasRemoved(issueTimeMs)));
  const requireIssuedHere = query.requireIssuedHere && !isGone;
  return verdictByRecord(snapshot, { ...query, requireIssuedHere, verdict }, issued, nowMs);
}

/** Verdicts by form and time of tokens that something can be done with. */
type VerdictOfUse = Extract<Verdict, 'VALID' | 'EXPIRED'>;

const isOfUse = (verdict: Verdict): verdict is VerdictOfUse => verdict === 'VALID' || verdict === 'EXPIRED';

/**
 * Validates the three tokens of a call, and whether they belong together.
 *
 * @throws {Refusal} when the realm is not for this client to ask about.
 */
export async function validateCredentials(
  dependencies: ValidateDependencies,
  caller: Caller,
  query: CredentialsQuery,
): Promise<CredentialsVerification> {
  const { snapshot } = dependencies.state;
  const realm = await realmOf(dependencies, caller, query.realm);
  const nowMs = dependencies.clock.now();
  const verified = step(SPAN_VERIFY, () =>
    verifyCredentials(decryptionKeys(realm, nowMs), query.tokens, {
      ...rulesOf(realm),
      nowMs,
      expectedCallee: query.expectedCallee,
      expectedCaller: query.expectedCaller,
    }),
  );
  const verifications = [verified.account, verified.from, verified.to];
  assertKeysOpened(dependencies, realm, verifications);
  const records = await recordsOf(dependencies, snapshot, query, verifications);
  const texts = {
    ACCOUNT: query.tokens.accountToken,
    FROM: query.tokens.fromToken,
    TO: query.tokens.toToken,
  } as const;
  const found: Match[][] = [];
  const withRecord = (verification: TokenVerification, kind: TokenKind): TokenVerification => {
    const { verdict } = verification;
    if (!isOfUse(verdict)) return verification;
    const issued = records && matches(records, fingerprintOf(dependencies, realm, texts[kind]));
    if (issued) found.push(issued);
    const byRecord = verdictByRecord(snapshot, { ...query, kind, verdict }, issued, nowMs);
    return { ...verification, verdict: byRecord };
  };
  const account = withRecord(verified.account, 'ACCOUNT');
  const from = withRecord(verified.from, 'FROM');
  const to = withRecord(verified.to, 'TO');
  const fault = [account, from, to].find(({ verdict }) => verdict !== 'VALID')?.verdict;
  const together = !query.requireIssuedHere || (found.length === 3 && oneIssue(found));
  const verdict = fault ?? (together ? verified.verdict : 'MISMATCHED');
  return report(dependencies, query, { account, from, to, verdict });
}

/** Reports the verdict on the request's span and in the metrics. */
function report<J extends { readonly verdict: string }>(
  { metrics }: ValidateDependencies,
  { realm }: { readonly realm: string },
  verification: J,
): J {
  metrics.validated(verification.verdict);
  setSpanAttributes({ [ATTR_REALM]: realm, [ATTR_VERDICT]: verification.verdict });
  return verification;
}

/** A record that holds a token, and as what. */
interface Match {
  readonly entry: LedgerEntry;
  readonly kind: TokenKind;
}

async function realmOf(
  dependencies: ValidateDependencies,
  caller: Caller,
  name: string,
): Promise<SnapshotRealm> {
  const { principal } = caller;
  const { realms } = dependencies.state.snapshot;
  const realm = covers(principal.realms, name) ? realms.get(name) : undefined;
  if (realm) return realm;
  const reason = seesEverything(principal) && !realms.has(name) ? 'REALM_UNKNOWN' : 'CLIENT_NOT_GRANTED';
  const refusal = new Refusal(reason, { rule: 'grant' });
  await dependencies.refusals.record(caller, refusal, { realm: name });
  throw refusal;
}

/** A token that no key opens may be one of a key that only this instance cannot open: another instance can tell. */
function assertKeysOpened(
  { state }: ValidateDependencies,
  { hasUnopenedKey }: SnapshotRealm,
  verifications: readonly TokenVerification[],
): void {
  if (hasUnopenedKey && verifications.some(({ verdict }) => verdict === 'UNDECIPHERABLE'))
    assertNewest(state);
}

/** The rules by which a realm's tokens are verified, all but the time of the check. */
export function rulesOf({ realm }: SnapshotRealm) {
  return {
    lifetimeMs: realm.tokenLifetimeMs,
    maxClockSkewMs: realm.maxClockSkewMs,
    unit: realm.timestampUnit,
  };
}

/**
 * The records of what was issued at the tokens' time. Asked for only where they matter: demanded by the caller for what is
 * valid, or needed to know whose token it is because something smaller than a realm is frozen.
 */
async function recordsOf(
  dependencies: Pick<ValidateDependencies, 'store'>,
  snapshot: Snapshot,
  query: { realm: string; requireIssuedHere: boolean },
  verifications: readonly Pick<TokenVerification, 'verdict' | 'issueTimeMs'>[],
): Promise<readonly LedgerEntry[] | undefined> {
  const mustBeIssued = query.requireIssuedHere && verifications.some(({ verdict }) => verdict === 'VALID');
  if (!mustBeIssued && !snapshot.freezes.needsRecord) return undefined;
  const times = new Set(
    verifications.flatMap(({ issueTimeMs }) => (issueTimeMs === undefined ? [] : [issueTimeMs])),
  );
  const found = await step(SPAN_FIND_ISSUED, () =>
    Promise.all([...times].map((timeMs) => dependencies.store.findIssued({ realm: query.realm, timeMs }))),
  );
  return found.flat();
}

/** The fingerprint of a token as it was issued: hexadecimal in another case is the same token. */
function fingerprintOf(
  { keyedHash }: Pick<ValidateDependencies, 'keyedHash'>,
  { realm }: SnapshotRealm,
  token: string,
): Uint8Array {
  return keyedHash.token(canonicalToken(realm.cipher, token));
}

function matches(records: readonly LedgerEntry[], fingerprint: Uint8Array): Match[] {
  return records.flatMap((entry) => {
    if (!entry.fingerprints) return [];
    const { account, from, to } = entry.fingerprints;
    const kinds: [TokenKind, Uint8Array][] = [
      ['ACCOUNT', account],
      ['FROM', from],
      ['TO', to],
    ];
    return kinds
      .filter(([, known]) => timingSafeEqual(known, fingerprint))
      .map(([kind]) => ({ entry, kind }));
  });
}

function verdictByRecord(
  snapshot: Snapshot,
  query: Omit<TokenQuery, 'token' | 'ignoreExpiry'> & { readonly verdict: VerdictOfUse },
  issued: readonly Match[] | undefined,
  nowMs: number,
): Verdict {
  const found = issued ?? [];
  const isValid = query.verdict === 'VALID';
  if (isValid && query.requireIssuedHere && found.length === 0) return 'NOT_ISSUED_HERE';
  // As whatever it is used: what is frozen must not pass for something else.
  const frozen =
    snapshot.freezes.find({ realm: query.realm }, nowMs) !== undefined ||
    found.some(({ entry }) => snapshot.freezes.find(entry, nowMs) !== undefined);
  if (frozen) return 'FROZEN';
  if (!isValid) return query.verdict;
  const fits = found.some(({ kind }) => query.kind === undefined || kind === query.kind);
  return query.requireIssuedHere && !fits ? 'WRONG_KIND' : 'VALID';
}

/** Tests that one issue holds all three tokens, each as what it is used for. */
function oneIssue([account, from, to]: readonly Match[][]): boolean {
  const issues = (found: readonly Match[] | undefined, kind: TokenKind) =>
    new Set(found?.filter((match) => match.kind === kind).map(({ entry }) => entry.issuanceId));
  const inFrom = issues(from, 'FROM');
  const inTo = issues(to, 'TO');
  return [...issues(account, 'ACCOUNT')].some((id) => inFrom.has(id) && inTo.has(id));
}

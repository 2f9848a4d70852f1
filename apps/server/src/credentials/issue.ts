import { REASONS, type IssueCredentialsRequest, type MessageFields } from '@callpass/contract';
import {
  credentialTimes,
  limitKeys,
  newIssuanceId,
  type Clock,
  type CompiledDestination,
  type EntryDraft,
  type EntryFields,
  type IssuedTokens,
  type KeyedHash,
  type Limiter,
  type StateChange,
  type Store,
} from '@callpass/domain';
import {
  ATTR_CONFIGURATION_REVISION,
  ATTR_DECISION,
  ATTR_DESTINATION,
  ATTR_ISSUANCE_ID,
  ATTR_KEY_VERSION,
  ATTR_REALM,
  SPAN_AUTHORIZE,
  SPAN_COMMIT,
  SPAN_FIND_ANSWER,
  SPAN_MODERATE,
  SPAN_ENCRYPT,
  isServerFault,
  setSpanAttributes,
  traceId,
} from '@callpass/telemetry';
import { systemRandom, type EncryptedCredentials } from '@callpass/token-core';
import type { TrustedClock } from '../clock/watch-clock.ts';
import { reasonOf } from '../errors/map-error.ts';
import type { Caller, RefusalRecords, RefusedRequest } from '../errors/refusal-records.ts';
import { Refusal } from '../errors/refusal.ts';
import { explain, step } from '../errors/steps.ts';
import type { Principal } from '../state/principal.ts';
import type { Snapshot } from '../state/snapshot.ts';
import {
  assertKeyExists,
  assertNewest,
  assertNotFrozen,
  decide,
  grantedDestination,
  encryptionOf,
  type Encryption,
  type FollowedState,
} from './decide.ts';
import { encryptAlone, type Encrypt } from './encrypt.ts';
import { destinationLabel, type CredentialMetrics } from './metrics.ts';
import { takeLimits, unenforcedRule } from './take-limits.ts';
import { Visitor } from './visitor.ts';

/** Ports that issuing needs. */
export interface IssueDependencies {
  readonly state: FollowedState;
  readonly store: Pick<Store, 'record' | 'findAnswer'>;
  readonly limiter: Limiter;
  readonly clock: Clock;
  readonly trustedClock: TrustedClock;
  readonly keyedHash: KeyedHash;
  readonly refusals: Pick<RefusalRecords, 'record'>;
  readonly metrics: Pick<CredentialMetrics, 'issued' | 'notIssued' | 'limited'>;
  /** Default: each call alone. */
  readonly encrypt?: Encrypt;
}

/** A client's request. Texts left out are empty. */
export type IssueRequest = Readonly<Omit<MessageFields<IssueCredentialsRequest>, 'requestId'>>;

/** Fields that request and entry have under the same name: each is recorded, of a grant and of a refusal. */
type RequestedFields = Pick<EntryFields, keyof IssueRequest & keyof EntryFields>;

/** The credentials that were granted. Times in milliseconds since the epoch. */
export interface Issued {
  readonly issuanceId: string;
  readonly callee: string;
  readonly caller: string;
  readonly issueTimeMs: number;
  /** `undefined` for unrestricted calls. */
  readonly timeLimited:
    | {
        readonly tokens: EncryptedCredentials;
        readonly realm: string;
        readonly keyVersion: number;
        readonly expireTimeMs: number;
        readonly refreshTimeMs: number;
      }
    | undefined;
}

/** A request id and how to keep the answer under it. */
export interface Idempotency {
  readonly requestId: string;
  /** SHA-256 of the request. */
  readonly bodyHash: Uint8Array;
  /** The answer as bytes, so that a repeated request gets the very same. */
  encode(issued: Issued): Uint8Array;
  /** The key of the tokens in such an answer; `undefined` for an unrestricted call. */
  keyOf(answer: Uint8Array): { readonly realm: string; readonly version: number } | undefined;
}

/** Something new was issued, or the same request was answered before with these bytes. */
export type IssueOutcome =
  | { readonly kind: 'issued'; readonly issued: Issued }
  | { readonly kind: 'answeredBefore'; readonly answer: Uint8Array };

/** Time for which the answer for an unrestricted call is kept, which has no token lifetime to go by. */
const UNRESTRICTED_MEMORY_MS = 600_000;

/**
 * Issues the credentials of one call: moderation, limits, encryption, and a durable record before the answer.
 *
 * @throws {Refusal} with a record of it in the ledger.
 * @throws {StoreError} when the record is out of reach: then nothing was issued.
 */
export async function issue(
  dependencies: IssueDependencies,
  caller: Caller,
  request: IssueRequest,
  idempotency?: Idempotency,
): Promise<IssueOutcome> {
  const { principal } = caller;
  const { snapshot } = dependencies.state;
  const visitor = new Visitor(principal.client, request.subject, dependencies.keyedHash);
  setSpanAttributes({
    [ATTR_DESTINATION]: request.destination,
    [ATTR_CONFIGURATION_REVISION]: snapshot.revision,
  });
  try {
    const outcome = await grant(dependencies, principal, request, { snapshot, visitor, idempotency });
    dependencies.metrics.issued(request.destination);
    return outcome;
  } catch (error) {
    reportNotIssued(dependencies, snapshot, request, error);
    if (error instanceof Refusal) {
      await dependencies.refusals.record(caller, error, {
        configurationRevision: snapshot.revision,
        destination: request.destination,
        realm: snapshot.destinations.get(request.destination)?.destination.realm ?? '',
        callee: request.callee,
        caller: request.caller,
        visitor: visitor.forRecord,
      } satisfies RefusedRequest & RequestedFields);
    }
    throw error;
  }
}

/** Says on the request's span and in the metrics why nothing was issued. */
function reportNotIssued(
  { metrics }: IssueDependencies,
  { destinations }: Snapshot,
  { destination }: IssueRequest,
  error: unknown,
): void {
  const compiled = destinations.get(destination);
  const reason = reasonOf(error) ?? 'INTERNAL';
  const decision = isServerFault(REASONS[reason].status) ? 'failed' : 'refused';
  metrics.notIssued(decision, reason, destinationLabel(compiled !== undefined, destination));
  setSpanAttributes({
    [ATTR_DECISION]: decision,
    [ATTR_REALM]: compiled?.destination.realm,
    ...explain(error),
  });
}

interface AnsweredBefore {
  readonly bodyHash: Uint8Array;
  readonly answer: Uint8Array;
}

interface Scope {
  readonly snapshot: Snapshot;
  readonly visitor: Visitor;
  readonly idempotency: Idempotency | undefined;
}

async function grant(
  dependencies: IssueDependencies,
  principal: Principal,
  request: IssueRequest,
  { snapshot, visitor, idempotency }: Scope,
): Promise<IssueOutcome> {
  const { clock, limiter, store } = dependencies;
  const compiled = step(SPAN_AUTHORIZE, () => grantedDestination(snapshot, principal, request.destination));
  assertNewest(dependencies.state);
  const repeat = (before: AnsweredBefore, asked: Idempotency): IssueOutcome => {
    const { realm } = compiled.destination;
    const scope = { visitor, nowMs: clock.now() };
    const key = asked.keyOf(before.answer);
    for (const each of new Set([realm, key?.realm]))
      assertNotFrozen(snapshot, { destination: request.destination, realm: each }, scope);
    if (Buffer.compare(before.bodyHash, asked.bodyHash) !== 0)
      throw new Refusal('REQUEST_ID_REUSED', { rule: 'requestId' });
    if (key) assertKeyExists(snapshot, key);
    return { kind: 'answeredBefore', answer: before.answer };
  };
  if (idempotency) {
    const before = await step(SPAN_FIND_ANSWER, () =>
      store.findAnswer({ client: principal.client, requestId: idempotency.requestId, nowMs: clock.now() }),
    );
    if (before) return repeat(before, idempotency);
  }

  const { parties, encryption } = step(SPAN_MODERATE, () => {
    dependencies.trustedClock.assertTrusted();
    return {
      parties: decide(snapshot, compiled, { request, visitor, nowMs: clock.now() }),
      encryption: encryptionOf(snapshot, compiled),
    };
  });

  const taken = takeLimits(limiter, limitKeys(compiled, visitor), {
    destination: request.destination,
    nowMs: clock.now(),
    metrics: dependencies.metrics,
  });
  const readings = taken instanceof Promise ? await taken : taken;

  const made = makeCredentials(dependencies.encrypt, { compiled, encryption, parties, nowMs: clock.now() });
  const issued = made instanceof Promise ? await made : made;
  const { timeLimited } = issued;
  const entry: EntryDraft & RequestedFields = {
    kind: 'ISSUED',
    visitor: visitor.forRecord,
    timeMs: issued.issueTimeMs,
    client: principal.client,
    destination: request.destination,
    realm: timeLimited?.realm ?? '',
    keyVersion: timeLimited?.keyVersion ?? 0,
    callee: issued.callee,
    caller: issued.caller,
    rule: unenforcedRule(readings),
    configurationRevision: snapshot.revision,
    traceId: traceId() ?? '',
    issuanceId: issued.issuanceId,
    expireTimeMs: timeLimited?.expireTimeMs ?? 0,
  };
  const outcome = await step(SPAN_COMMIT, (span) =>
    store.record(entry, {
      change: idempotency && rememberAnswer(principal, idempotency, issued),
      tokens: timeLimited && issuedTokens(timeLimited.tokens),
      onCommit: span.recording ? span.sharedCommit : undefined,
    }),
  );
  if (outcome.outcome === 'answeredBefore' && idempotency) return repeat(outcome, idempotency);
  setSpanAttributes({
    [ATTR_DECISION]: 'issued',
    [ATTR_ISSUANCE_ID]: issued.issuanceId,
    [ATTR_REALM]: timeLimited?.realm,
    [ATTR_KEY_VERSION]: timeLimited?.keyVersion,
  });
  return { kind: 'issued', issued };
}

const randomBytes = new Uint8Array(16);

interface Granted {
  readonly compiled: CompiledDestination;
  readonly encryption: Encryption | undefined;
  readonly parties: { readonly callee: string; readonly caller: string };
  readonly nowMs: number;
}

/** Makes the credentials. The time is one for the three tokens. */
function makeCredentials(
  encrypt: Encrypt = encryptAlone,
  { compiled, encryption, parties, nowMs }: Granted,
): Promise<Issued> | Issued {
  systemRandom.fill(randomBytes);
  const issuanceId = newIssuanceId(nowMs, randomBytes);
  const { callee, caller } = parties;
  if (!encryption) return { issuanceId, callee, caller, issueTimeMs: nowMs, timeLimited: undefined };
  const { realm, key } = encryption;
  const { issueTimeMs, expireTimeMs, refreshTimeMs } = credentialTimes(realm, nowMs);
  const complete = (tokens: EncryptedCredentials): Issued => ({
    ...{ issuanceId, callee, caller, issueTimeMs },
    timeLimited: { tokens, realm: realm.name, keyVersion: key.version, expireTimeMs, refreshTimeMs },
  });
  const tokens = step(SPAN_ENCRYPT, () =>
    encrypt(key.key, {
      users: { account: compiled.destination.account, from: caller, to: callee },
      timestampMs: issueTimeMs,
      unit: realm.timestampUnit,
    }),
  );
  return tokens instanceof Promise ? tokens.then(complete) : complete(tokens);
}

function issuedTokens({ accountToken, fromToken, toToken }: EncryptedCredentials): IssuedTokens {
  return { account: accountToken, from: fromToken, to: toToken };
}

function rememberAnswer(principal: Principal, idempotency: Idempotency, issued: Issued): StateChange {
  return {
    kind: 'rememberAnswer',
    client: principal.client,
    requestId: idempotency.requestId,
    bodyHash: idempotency.bodyHash,
    answer: idempotency.encode(issued),
    nowMs: issued.issueTimeMs,
    expireTimeMs: issued.timeLimited?.expireTimeMs ?? issued.issueTimeMs + UNRESTRICTED_MEMORY_MS,
  };
}

export {
  EMPTY_CONFIGURATION,
  type Client,
  type Configuration,
  type Destination,
  type Grant,
  type Hours,
  type Identity,
  type Limit,
  type LimitFallback,
  type LimitScope,
  type Realm,
  type Role,
} from './realm/configuration.ts';
export { identityKey } from './realm/identity-key.ts';
export {
  keyValidates,
  isCompromised,
  mayStep,
  validateUntil,
  type KeyState,
  type KeyStep,
  type RealmKeyRecord,
} from './realm/key.ts';
export {
  FreezeIndex,
  type Freeze,
  type FreezeKind,
  type FreezeScope,
  type FreezeSubjects,
} from './realm/freeze.ts';
export {
  ENTRY_KINDS,
  entryFields,
  faultOf,
  GENESIS_HASH,
  joinFingerprints,
  linkEntry,
  newChain,
  verifyLedger,
  anchoredEntry,
  anchorFaults,
  AnchorProver,
  bytesOf,
  exportedChain,
  countedTogetherRule,
  frozenClientRule,
  removedBeforeReason,
  uncountedRule,
  hexOf,
  type ChainHead,
  type ChainRecord,
  type EntryDraft,
  type ExportedChain,
  type LedgerAnchor,
  type StateRecord,
  type EntryFields,
  type EntryKind,
  type EntryQuery,
  type EntryVisitor,
  type LedgerEntry,
  type LedgerFault,
  type LedgerStore,
  type LedgerVerification,
  type PositionedEntry,
  type TokenFingerprints,
  type VerificationRange,
  mergeIssued,
  type IssuedCounts,
  type IssuedFilter,
  type IssuedStep,
  type IssuedStepQuery,
} from '@callpass/ledger';
export { KeyedHash, MAX_KEYED_HASH_BYTES } from './keyed-hash.ts';
export {
  StoreError,
  type Clock,
  type IssuedTokens,
  type KeyMove,
  type RecordOptions,
  type RecordOutcome,
  type SharedCommit,
  type RevisionRecord,
  type StateChange,
  type Store,
  type StoreErrorCode,
  type StoredRealmKey,
  type StoredRevision,
  type StoredState,
  type StoreTimes,
} from './ports.ts';
export { COARSEST_TIME_UNIT_MS, issuanceTimeMs, newIssuanceId } from './issuance-id.ts';
export { checkConfiguration } from './realm/check.ts';
export { type Problem } from './realm/problem.ts';
export { warnings } from './realm/warnings.ts';
export { credentialTimes, type CredentialTimes } from './realm/credential-times.ts';
export { diffDocuments, type Change, type JsonValue } from './realm/diff.ts';
export { compileAddresses, type AddressMatcher } from './moderation/addresses.ts';
export { compileHours, HoursError, isOpen, nextOpening, type CompiledHours } from './moderation/hours.ts';
export {
  compileDestination,
  moderate,
  type CompiledDestination,
  type Decision,
  type ModerationRequest,
  type RefusalReason,
} from './moderation/rules.ts';
export { limitKeys, limitScopeOf, type LimitCheck } from './moderation/limits.ts';
export { limitGap, type LimitGap, type LimitSubjects } from './moderation/limit-scopes.ts';
export {
  fullLimit,
  LimiterError,
  refusingUncounted,
  uncounted,
  type Limiter,
  type LimitOutcome,
  type LimitReading,
} from './moderation/limiter.ts';
export { MemoryLimiter } from './moderation/memory-limiter.ts';
export { covers, grantedScope, NOWHERE, type Scope } from './realm/scope.ts';
export { findTimeZone } from './moderation/time-zone.ts';
export {
  type ReplayCaveat,
  type ReplayCounts,
  type ReplayDifference,
  type ReplayHour,
  type ReplayPlan,
  type ReplayReason,
  type ReplayReport,
  type ReplayStep,
} from './replay/replay-report.ts';
export { Replay, type ReplayEntry } from './replay/replay.ts';
export { commonTimeZone } from './replay/week-hour.ts';

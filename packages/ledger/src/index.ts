export {
  BLANK_FIELDS,
  CHANGE_FIELDS,
  ENTRY_FIELDS,
  ENTRY_KINDS,
  entryFields,
  entryKind,
  FINGERPRINT_BYTES,
  joinFingerprints,
  kindNumber,
  splitFingerprints,
  type ChangeMark,
  type CurrentField,
  type EntryDraft,
  type EntryFields,
  type EntryKind,
  type EntryVisitor,
  type FieldType,
  type LedgerEntry,
  type TokenFingerprints,
} from './entry.ts';
export {
  canonicalBytes,
  ENTRY_VERSION,
  faultOf,
  GENESIS_HASH,
  linkEntry,
  newChain,
  type ChainHead,
} from './chain.ts';
export {
  bytesOf,
  digestLine,
  entryLine,
  EXPORT_VERSION,
  headerLine,
  hexOf,
  type ExportedChain,
  type ExportHeader,
  type HeadsProof,
} from './export-format.ts';
export {
  mergeIssued,
  type IssuedCounts,
  type IssuedFilter,
  type IssuedStep,
  type IssuedStepQuery,
} from './issued-summary.ts';
export { verifyExport, type ExportFault, type ExportVerification } from './verify-export.ts';
export { type ChainRecord, type EntryQuery, type LedgerStore, type PositionedEntry } from './ledger-store.ts';
export { verifyLedger, type LedgerVerification, type VerificationRange } from './verify.ts';
export { type LedgerFault } from './fault.ts';
export {
  anchoredEntry,
  anchorFaults,
  AnchorProver,
  exportedChain,
  type AnchoredEntries,
  type LedgerAnchor,
} from './anchor.ts';
export { ABSENT, ChangePlayer } from './play-changes.ts';
export {
  changedThing,
  freezeThing,
  frozenClientRule,
  realmKeysThing,
  revisionThing,
  type StateRecord,
} from './state-record.ts';
export {
  countedTogether,
  countedTogetherRule,
  isUncounted,
  removedBeforeMs,
  removedBeforeReason,
  uncountedRule,
} from './recorded-texts.ts';

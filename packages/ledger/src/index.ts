export {
  BLANK_FIELDS,
  ENTRY_FIELDS,
  ENTRY_KINDS,
  entryFields,
  entryKind,
  FINGERPRINT_BYTES,
  joinFingerprints,
  splitFingerprints,
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
export { verifyLedger, type LedgerFault, type LedgerVerification, type VerificationRange } from './verify.ts';

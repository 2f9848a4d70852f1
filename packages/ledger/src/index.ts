export {
  ENTRY_KINDS,
  draftEntry,
  type EntryDraft,
  type EntryKind,
  type LedgerEntry,
  type TokenFingerprints,
} from './entry.ts';
export { canonicalBytes } from './canonical.ts';
export { GENESIS_HASH, faultOf, linkEntry, newChain, type ChainHead } from './chain.ts';
export {
  bytesOf,
  digestLine,
  entryLine,
  headerLine,
  hexOf,
  type ExportedChain,
  type ExportHeader,
} from './export-format.ts';
export { verifyExport, type ExportFault, type ExportVerification } from './verify-export.ts';
export { type ChainRecord, type EntryQuery, type LedgerStore, type PositionedEntry } from './ledger-store.ts';
export { verifyLedger, type LedgerFault, type LedgerVerification, type VerificationRange } from './verify.ts';

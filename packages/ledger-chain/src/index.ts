export {
  ENTRY_KINDS,
  draftEntry,
  type EntryDraft,
  type EntryKind,
  type LedgerEntry,
  type TokenFingerprints,
} from './entry.ts';
export { canonicalBytes, ENTRY_TEXT_FIELDS } from './canonical.ts';
export { GENESIS_HASH, faultOf, linkEntry, newChain, type ChainHead } from './chain.ts';

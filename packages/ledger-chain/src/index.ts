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

import { anchorFaults, anchoredEntry, type LedgerAnchor } from './anchor.ts';
import { faultOf, type ChainHead } from './chain.ts';
import type { LedgerEntry } from './entry.ts';
import type { LedgerFault } from './fault.ts';
import type { ChainRecord, LedgerStore } from './ledger-store.ts';
import { ChangePlayer } from './play-changes.ts';
import type { StateRecord } from './state-record.ts';

/** Outcome of a verification. */
export interface LedgerVerification {
  readonly entryCount: number;
  /** At most one for each chain. */
  readonly faults: readonly LedgerFault[];
  readonly chains: readonly ChainRecord[];
  /** The record of what lies beside the ledger. */
  readonly state: StateRecord;
}

/** Part of the ledger to verify; all of it where left out. */
export interface VerificationRange {
  readonly writerId?: string | undefined;
  readonly firstSequence?: number | undefined;
  readonly lastSequence?: number | undefined;
  /** Compares with what was true before. Only with the whole ledger. */
  readonly anchor?: LedgerAnchor | undefined;
}

type VerifiedStore = Pick<LedgerStore, 'listChains' | 'readChain' | 'readStateRecord'>;
type OnEntry = (entry: LedgerEntry) => void;

const PAGE = 2000;

/**
 * Recomputes the chains and compares them with their recorded heads: an altered, missing or inserted entry, a chain that was
 * cut at its end, and chains that are gone as a whole are found. What was removed by retention is not missed: the chain
 * begins at its anchor.
 *
 * Of the whole ledger, the changes that it records are played through against configuration, keys and freezes. A store that
 * was put back as a whole is found with an anchor only.
 */
export async function verifyLedger(
  store: VerifiedStore,
  range: VerificationRange = {},
): Promise<LedgerVerification> {
  // Read first: what is written meanwhile is in the chains, and more than was asked for.
  const state = await store.readStateRecord();
  const all = await store.listChains();
  const whole = range.writerId === undefined && !range.firstSequence && !range.lastSequence;
  const chains = all.filter(({ writerId }) => range.writerId === undefined || writerId === range.writerId);
  const faults: LedgerFault[] = range.writerId === undefined ? missingChains(all, state.chainCount) : [];
  const changes = new ChangePlayer();
  const anchored = anchoredEntry(range.anchor);
  let entryCount = 0;
  for (const chain of chains) {
    const found = await verifyKeptPart(store, chain, range, (entry) => {
      changes.note(entry);
      anchored.note(entry);
    });
    entryCount += found.entryCount;
    if (found.fault) faults.push(found.fault);
  }
  if (range.anchor) faults.push(...anchorFaults(range.anchor, { chains: all, state, anchored }));
  if (whole) faults.push(...(await stateFaults(store, state, changes)));
  return { entryCount, faults, chains, state };
}

async function stateFaults(
  store: Pick<LedgerStore, 'readStateRecord'>,
  state: StateRecord,
  changes: ChangePlayer,
): Promise<LedgerFault[]> {
  // Retention goes on meanwhile, and so do changes.
  const now = await store.readStateRecord();
  const texts = [...state.faults, ...changes.faultsOf({ ...state, forgottenChanges: now.forgottenChanges })];
  if (changes.lastChange > now.changeCount)
    texts.push(`the ledger records change ${changes.lastChange}, the store knows of ${now.changeCount} only`);
  return texts.map((text) => ({ writerId: '', sequence: 0, text }));
}

/** Retention may shorten a chain while it is read: what is missing then is behind an anchor that this service moved. */
async function verifyKeptPart(
  store: VerifiedStore,
  chain: ChainRecord,
  range: VerificationRange,
  onEntry: OnEntry,
): Promise<{ entryCount: number; fault?: LedgerFault }> {
  const found = await verifyChain(store, chain, range, onEntry);
  if (!found.fault) return found;
  const now = await recordOf(store, chain.writerId);
  const removed = now !== undefined && now.genuine && found.fault.sequence <= now.anchor.sequence;
  return removed && now.anchor.sequence > chain.anchor.sequence
    ? verifyKeptPart(store, now, range, onEntry)
    : found;
}

async function recordOf(
  store: Pick<LedgerStore, 'listChains'>,
  writerId: string,
): Promise<ChainRecord | undefined> {
  return (await store.listChains()).find((chain) => chain.writerId === writerId);
}

async function verifyChain(
  store: VerifiedStore,
  chain: ChainRecord,
  range: VerificationRange,
  onEntry: OnEntry,
): Promise<{ entryCount: number; fault?: LedgerFault }> {
  const { writerId, anchor } = chain;
  const recorded = chain.head;
  const fault = (sequence: number, text: string, entryCount = 0) => ({
    entryCount,
    fault: { writerId, sequence, text },
  });
  if (!chain.genuine) return fault(recorded.sequence, 'the recorded ends of the chain were altered');
  const last = Math.min(range.lastSequence || recorded.sequence, recorded.sequence);
  const first = Math.max(range.firstSequence || 1, anchor.sequence + 1);

  // Within a range the entry before it is taken as it is: its own place is not asked about.
  let head: ChainHead = anchor;
  if (first > anchor.sequence + 1) {
    const [before] = await store.readChain({ writerId, afterSequence: first - 2, limit: 1 });
    if (before?.sequence !== first - 1) return fault(first - 1, `entry ${first - 1} is missing`);
    head = before;
  }
  let entryCount = 0;
  while (head.sequence < last) {
    const limit = Math.min(PAGE, last - head.sequence);
    const entries = await store.readChain({ writerId, afterSequence: head.sequence, limit });
    if (entries.length === 0)
      return fault(head.sequence + 1, `entry ${head.sequence + 1} is missing`, entryCount);
    for (const entry of entries) {
      const text = faultOf(head, entry);
      if (text !== undefined) return fault(head.sequence + 1, text, entryCount);
      onEntry(entry);
      head = entry;
      entryCount++;
    }
  }
  if (last === recorded.sequence && Buffer.compare(head.hash, recorded.hash) !== 0) {
    return fault(recorded.sequence, 'does not end as it was recorded', entryCount);
  }
  const [beyond] =
    last === recorded.sequence
      ? await store.readChain({ writerId, afterSequence: recorded.sequence, limit: 1 })
      : [];
  if (beyond === undefined) return { entryCount };
  // The writer may have gone on since the head was read.
  const now = await recordOf(store, writerId);
  if (now?.genuine && now.head.sequence >= beyond.sequence) return { entryCount };
  return fault(beyond.sequence, 'was written behind the recorded end', entryCount);
}

/** Chains are numbered without gaps and counted, so one that was removed as a whole is missed. */
function missingChains(chains: readonly ChainRecord[], chainCount: number): LedgerFault[] {
  const present = new Set(chains.map(({ number }) => number));
  const last = Math.max(chainCount, ...present);
  return Array.from({ length: last }, (_, index) => index + 1)
    .filter((number) => !present.has(number))
    .map((number) => ({ writerId: `chain ${number}`, sequence: 1, text: 'the chain is missing as a whole' }));
}

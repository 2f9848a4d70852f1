import { faultOf, newChain, type ChainHead, type LedgerEntry, type Store } from '@callpass/domain';

/** The entries that `sampleEntry` makes when it is given no other time and realm. */
export function sampleEntries(store: Store): Promise<readonly LedgerEntry[]> {
  return store.findIssued({ realm: 'support.example', timeMs: 1_800_000_000_000 });
}

/** The faults of the chains of these entries; nothing when all are whole from their beginning. */
export function chainFaults(entries: readonly LedgerEntry[]): string[] {
  const heads = new Map<string, ChainHead>();
  const faults: string[] = [];
  for (const entry of entries) {
    const fault = faultOf(heads.get(entry.writerId) ?? newChain(entry.writerId), entry);
    if (fault !== undefined) faults.push(fault);
    heads.set(entry.writerId, entry);
  }
  return faults;
}

import { createHmac, hkdfSync, timingSafeEqual } from 'node:crypto';
import type { ChainHead } from './chain.ts';
import type { LedgerEntry } from './entry.ts';
import { bytesOf, hexOf, type ExportedChain } from './export-format.ts';
import type { LedgerFault } from './fault.ts';
import type { ChainRecord } from './ledger-store.ts';
import type { StateRecord } from './state-record.ts';

/**
 * Heads of all chains at one time, to be kept where nobody who can write to the store can. What was true once must be true of
 * each later state of the ledger, so an anchor shows a store that was put back to an earlier state.
 */
export interface LedgerAnchor {
  /** Names the store: 32 hexadecimal digits. */
  readonly storeId: string;
  /** RFC 3339 in UTC with ms. */
  readonly time: string;
  /** Changes of configuration, keys and freezes that were made. */
  readonly changeCount: number;
  /** Chains that were begun. */
  readonly chainCount: number;
  readonly chains: readonly ExportedChain[];
  /** Keyed proof that the service of this store has made the anchor: 64 hexadecimal digits. */
  readonly proof: string;
}

/** Makes and checks anchors, with a key derived from the secret of the ledger. */
export class AnchorProver {
  /** See {@link LedgerAnchor.storeId}. */
  readonly storeId: string;
  readonly #key: Uint8Array;

  /** @param ledgerSecret of the store, 32 bytes. */
  constructor(ledgerSecret: Uint8Array) {
    this.storeId = hexOf(derive(ledgerSecret, 'store id').subarray(0, 16));
    this.#key = derive(ledgerSecret, 'anchor proof');
  }

  /** An anchor of the chains as they are. */
  prove({ chains, state, timeMs }: { chains: readonly ChainRecord[]; state: StateRecord; timeMs: number }) {
    const anchor = {
      storeId: this.storeId,
      time: new Date(timeMs).toISOString(),
      changeCount: state.changeCount,
      chainCount: state.chainCount,
      chains: chains.map(exportedChain),
    };
    return { ...anchor, proof: hexOf(this.#mac(anchor)) } satisfies LedgerAnchor;
  }

  /** Tells whether the service of this store has made the anchor. */
  isGenuine(anchor: LedgerAnchor): boolean {
    const given = bytesOf(anchor.proof);
    const expected = this.#mac(anchor);
    return (
      anchor.storeId === this.storeId && given.length === expected.length && timingSafeEqual(given, expected)
    );
  }

  #mac(anchor: Omit<LedgerAnchor, 'proof'>): Uint8Array {
    return createHmac('sha256', this.#key)
      .update(JSON.stringify(fieldsOf(anchor)))
      .digest();
  }
}

function derive(ledgerSecret: Uint8Array, use: string): Uint8Array {
  return new Uint8Array(hkdfSync('sha256', ledgerSecret, '', `callpass ledger ${use}`, 32));
}

/** The part of a chain that is kept, as anchors and exports have it. */
export function exportedChain({ writerId, anchor, head }: ChainRecord): ExportedChain {
  return {
    writerId,
    firstSequence: anchor.sequence + 1,
    lastSequence: head.sequence,
    lastHash: hexOf(head.hash),
    anchorHash: hexOf(anchor.hash),
  };
}

/** In one order, whatever the order of the names was. */
function fieldsOf({ storeId, time, changeCount, chainCount, chains }: Omit<LedgerAnchor, 'proof'>) {
  return {
    storeId,
    time,
    changeCount,
    chainCount,
    chains: chains.map(({ writerId, firstSequence, lastSequence, lastHash, anchorHash }) => {
      return { writerId, firstSequence, lastSequence, lastHash, anchorHash };
    }),
  };
}

/** Remembers the hashes of the entries that an anchor names, as they are passed by. */
export interface AnchoredEntries {
  note(entry: Pick<LedgerEntry, 'writerId' | 'sequence' | 'hash'>): void;
  /** The hash at the place that the anchor names in a chain; `undefined` if no such entry was passed by. */
  hashIn(writerId: string): string | undefined;
}

/** Looks out for the entries that an anchor names. */
export function anchoredEntry(anchor: Pick<LedgerAnchor, 'chains'> | undefined): AnchoredEntries {
  const wanted = new Map(anchor?.chains.map(({ writerId, lastSequence }) => [writerId, lastSequence]));
  const found = new Map<string, string>();
  return {
    note: ({ writerId, sequence, hash }) => {
      if (wanted.get(writerId) === sequence) found.set(writerId, hexOf(hash));
    },
    hashIn: (writerId) => found.get(writerId),
  };
}

/** A chain as it is now. */
type PresentChain = Pick<ChainRecord, 'writerId' | 'anchor' | 'head'>;

/** Faults of a ledger as against an anchor: whatever the anchor has must still be so, or was removed by retention. */
export function anchorFaults(
  anchor: LedgerAnchor,
  now: {
    readonly chains: readonly PresentChain[];
    readonly anchored: AnchoredEntries;
    /** Left out for an export without a proof, which does not say. */
    readonly state?: Pick<StateRecord, 'changeCount' | 'chainCount'> | undefined;
  },
): LedgerFault[] {
  const faults = anchor.chains.flatMap((chain) => chainFault(chain, anchor, now) ?? []);
  const earlier = (text: string) =>
    faults.push({ writerId: '', sequence: 0, text: `${text} at ${anchor.time}` });
  if (now.state && now.state.changeCount < anchor.changeCount)
    earlier(`${now.state.changeCount} changes of configuration, keys and freezes, ${anchor.changeCount}`);
  if (now.state && now.state.chainCount < anchor.chainCount)
    earlier(`${now.state.chainCount} chains were begun, ${anchor.chainCount}`);
  return faults;
}

function chainFault(
  { writerId, lastSequence, lastHash }: ExportedChain,
  { time }: LedgerAnchor,
  { chains, anchored }: { readonly chains: readonly PresentChain[]; readonly anchored: AnchoredEntries },
): LedgerFault | undefined {
  const fault = (text: string) => ({ writerId, sequence: lastSequence, text });
  const chain = chains.find((present) => present.writerId === writerId);
  if (chain === undefined) return fault(`the chain is missing, which was there at ${time}`);
  if (chain.head.sequence < lastSequence)
    return fault(`entry ${lastSequence} is missing, which was there at ${time}: the store was put back`);
  const hash = anchored.hashIn(writerId) ?? hashAt(chain, lastSequence);
  // What retention has removed since cannot be compared; its place is under a MAC of its own.
  if (hash === undefined) {
    return lastSequence > chain.anchor.sequence
      ? fault(`entry ${lastSequence} could not be compared with the anchor of ${time}`)
      : undefined;
  }
  return hash === lastHash ? undefined : fault(`entry ${lastSequence} is another one than at ${time}`);
}

function hashAt(
  { anchor, head }: { anchor: ChainHead; head: ChainHead },
  sequence: number,
): string | undefined {
  const end = [anchor, head].find((place) => place.sequence === sequence);
  return end && hexOf(end.hash);
}

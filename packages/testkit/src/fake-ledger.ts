import { faultOf, newChain } from '@callpass/domain';
import type { ChainHead, ChainRecord, EntryQuery, LedgerEntry, PositionedEntry } from '@callpass/domain';

/** The chains of a fake database. */
export class FakeLedger {
  #kept: PositionedEntry[] = [];
  #lastPosition = 0;
  readonly #chains = new Map<string, ChainRecord>();

  /** Everything that was not removed, of all chains, in the order of writing. */
  get entries(): readonly LedgerEntry[] {
    return this.#kept.map(({ entry }) => entry);
  }

  /** By number. */
  get chains(): readonly ChainRecord[] {
    return [...this.#chains.values()];
  }

  append(entry: LedgerEntry): void {
    const { writerId } = entry;
    const chain = this.#chains.get(writerId) ?? {
      writerId,
      number: this.#chains.size + 1,
      anchor: newChain(writerId),
      genuine: true,
    };
    this.#chains.set(writerId, { ...chain, end: headOf(entry) });
    this.#kept.push({ position: ++this.#lastPosition, entry });
  }

  list(query: EntryQuery): readonly PositionedEntry[] {
    return this.#kept
      .filter(({ position, entry }) => position > query.afterPosition && matches(entry, query))
      .slice(0, query.limit);
  }

  read(page: { writerId: string; afterSequence: number; limit: number }): readonly LedgerEntry[] {
    return this.entries
      .filter(({ writerId, sequence }) => writerId === page.writerId && sequence > page.afterSequence)
      .slice(0, page.limit);
  }

  /** Where each chain would begin if all before a time were removed. */
  anchorsBefore(beforeTimeMs: number): readonly ChainHead[] {
    return this.chains.map((chain) => {
      let { anchor } = chain;
      for (const entry of this.read({ ...chain, afterSequence: anchor.sequence, limit: Infinity })) {
        const stays = entry.timeMs >= beforeTimeMs || entry.sequence === chain.end.sequence;
        if (stays || faultOf(anchor, entry) !== undefined) break;
        anchor = headOf(entry);
      }
      return anchor;
    });
  }

  /** Removes everything up to the anchors. How many that was. */
  moveAnchors(anchors: readonly ChainHead[]): number {
    const before = this.#kept.length;
    for (const anchor of anchors) {
      const chain = this.#chains.get(anchor.writerId);
      if (chain) this.#chains.set(anchor.writerId, { ...chain, anchor });
      this.#kept = this.#kept.filter(
        ({ entry }) => entry.writerId !== anchor.writerId || entry.sequence > anchor.sequence,
      );
    }
    return before - this.#kept.length;
  }
}

function headOf({ writerId, sequence, hash }: LedgerEntry): ChainHead {
  return { writerId, sequence, hash };
}

const EQUAL_FIELDS = ['destination', 'client', 'kind', 'issuanceId', 'traceId'] as const;

function matches(entry: LedgerEntry, query: EntryQuery): boolean {
  return (
    entry.timeMs >= (query.startTimeMs ?? 0) &&
    entry.timeMs < (query.endTimeMs ?? Number.POSITIVE_INFINITY) &&
    EQUAL_FIELDS.every((field) => query[field] === undefined || query[field] === entry[field])
  );
}

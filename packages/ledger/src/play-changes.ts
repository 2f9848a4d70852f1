import type { LedgerEntry } from './entry.ts';
import { changedThing, type StateRecord } from './state-record.ts';

/** Change as its entry records it. */
interface RecordedChange {
  readonly thing: string | undefined;
  readonly changeHash: string;
}

/**
 * Plays the changes that the ledger records through against what the store holds: each change up to the last has its entry,
 * and each thing is what its last change made of it. So neither the tables nor the ledger can be put back alone.
 */
export class ChangePlayer {
  readonly #changes = new Map<number, RecordedChange>();
  #lastChange = 0;

  /** Takes note of an entry. */
  note(entry: LedgerEntry): void {
    const { changeNumber, changeHash } = entry;
    if (changeNumber === 0) return;
    this.#changes.set(changeNumber, { thing: changedThing(entry), changeHash });
    this.#lastChange = Math.max(this.#lastChange, changeNumber);
  }

  /** Faults of a record that was read before the first entry was, in words. Later changes are left out. */
  faultsOf({ changeCount, forgottenChanges, things }: StateRecord): string[] {
    const missing: number[] = [];
    const last = new Map<string, string>();
    for (let number = 1; number <= changeCount; number++) {
      const change = this.#changes.get(number);
      if (change === undefined) {
        if (number > forgottenChanges) missing.push(number);
      } else if (change.thing !== undefined) last.set(change.thing, change.changeHash);
    }
    const now = new Map(things);
    const different = [...last].filter(([thing, changeHash]) => (now.get(thing) ?? ABSENT) !== changeHash);
    return [
      ...missingFault(missing),
      ...different.map(([thing]) => `${thing} is not what its last entry in the ledger made of it`),
    ];
  }

  /** Largest number of a change that has an entry; 0 for none. */
  get lastChange(): number {
    return this.#lastChange;
  }
}

function missingFault(numbers: readonly number[]): string[] {
  const [first] = numbers;
  if (first === undefined) return [];
  const which =
    numbers.length === 1 ? `change ${first} has` : `${numbers.length} changes from ${first} on have`;
  return [`${which} no entry in the ledger`];
}

/** Hash of a thing that is not there, such as a freeze that was lifted. */
export const ABSENT = '';

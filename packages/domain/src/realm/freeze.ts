/** Kind of thing that can be stopped. A visitor is named by the keyed hash of the subject, never in clear. */
export type FreezeKind = 'REALM' | 'DESTINATION' | 'CLIENT' | 'SUBJECT';

/** The thing that is stopped: a name, an id, or for a subject its keyed hash. */
export interface FreezeScope {
  readonly kind: FreezeKind;
  readonly value: string;
}

/** A stop in force. Times in milliseconds since the epoch. */
export interface Freeze {
  readonly scope: FreezeScope;
  readonly reason: string;
  readonly freezeTimeMs: number;
  /** `undefined`: until it is lifted. */
  readonly untilMs: number | undefined;
  readonly frozenBy: string;
}

/** Owners of a credential that a freeze can name. */
export interface FreezeSubjects {
  readonly realm?: string | undefined;
  readonly destination?: string | undefined;
  readonly client?: string | undefined;
  readonly subjectHash?: string | undefined;
}

/** The party that each kind of freeze stops, in the order in which they are looked up. */
const STOPPED: Readonly<Record<FreezeKind, keyof FreezeSubjects>> = {
  REALM: 'realm',
  DESTINATION: 'destination',
  CLIENT: 'client',
  SUBJECT: 'subjectHash',
};
const KINDS = Object.keys(STOPPED) as readonly FreezeKind[];

/** Answers in constant time whether something is stopped. Of several freezes of one thing the longest holds. */
export class FreezeIndex {
  readonly #byKind: Record<FreezeKind, Map<string, Freeze>> = {
    REALM: new Map(),
    DESTINATION: new Map(),
    CLIENT: new Map(),
    SUBJECT: new Map(),
  };

  constructor(freezes: readonly Freeze[]) {
    for (const freeze of freezes) {
      const byValue = this.#byKind[freeze.scope.kind];
      const other = byValue.get(freeze.scope.value);
      if (!other || endOf(other) < endOf(freeze)) byValue.set(freeze.scope.value, freeze);
    }
  }

  /** The freeze that stops any of these at `nowMs`, or `undefined`. */
  find(subjects: FreezeSubjects, nowMs: number): Freeze | undefined {
    for (const kind of KINDS) {
      const byValue = this.#byKind[kind];
      if (byValue.size === 0) continue;
      const value = subjects[STOPPED[kind]];
      const freeze = value === undefined ? undefined : byValue.get(value);
      if (freeze !== undefined && nowMs < endOf(freeze)) return freeze;
    }
    return undefined;
  }

  /** Set where only a record of the issue can tell if a token is frozen: something other than a realm is. */
  get needsRecord(): boolean {
    return KINDS.some((kind) => kind !== 'REALM' && this.#byKind[kind].size > 0);
  }

  /** Set where a visitor is frozen, so that the keyed hash of a subject is worth computing. */
  get hasSubjects(): boolean {
    return this.#byKind.SUBJECT.size > 0;
  }
}

function endOf(freeze: Freeze): number {
  return freeze.untilMs ?? Infinity;
}

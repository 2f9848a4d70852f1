/** Credentials to count: those of a key, a client or a visitor. A field that is left out matches everything. */
export interface IssuedFilter {
  readonly realm?: string | undefined;
  readonly keyVersion?: number | undefined;
  readonly client?: string | undefined;
  readonly subjectHash?: string | undefined;
  /** Not before, in milliseconds since the epoch. */
  readonly startTimeMs?: number | undefined;
}

/** One step of a count: the positions behind one, of as many as a commit may have to wait for. */
export interface IssuedStepQuery extends IssuedFilter {
  /** 0 for the beginning. */
  readonly afterPosition: number;
  /** Credentials that expire after this time are alive. In milliseconds since the epoch. */
  readonly nowMs: number;
}

/** Counts of the credentials that one client has got for one destination with one key. Times in ms since the epoch. */
export interface IssuedCounts {
  readonly client: string;
  readonly destination: string;
  /** Empty for unrestricted calls. */
  readonly realm: string;
  readonly keyVersion: number;
  readonly issued: number;
  readonly alive: number;
  readonly firstTimeMs: number;
  readonly lastTimeMs: number;
  /** 0 for unrestricted calls. */
  readonly lastExpireTimeMs: number;
}

/** Result of a step. */
export interface IssuedStep {
  readonly groups: readonly IssuedCounts[];
  /** Position up to which was counted; from it the next step goes on. */
  readonly position: number;
  /** Position of the last entry of the ledger; 0 where it is empty. */
  readonly lastPosition: number;
}

/** Adds up the groups of all steps, the largest first. */
export function mergeIssued(steps: Iterable<readonly IssuedCounts[]>): IssuedCounts[] {
  const merged = new Map<string, IssuedCounts>();
  for (const groups of steps) {
    for (const group of groups) {
      const name = JSON.stringify([group.client, group.destination, group.realm, group.keyVersion]);
      const known = merged.get(name);
      merged.set(name, known ? sumOf(known, group) : group);
    }
  }
  return [...merged.values()].sort((a, b) => b.issued - a.issued);
}

function sumOf(a: IssuedCounts, b: IssuedCounts): IssuedCounts {
  return {
    ...a,
    issued: a.issued + b.issued,
    alive: a.alive + b.alive,
    firstTimeMs: Math.min(a.firstTimeMs, b.firstTimeMs),
    lastTimeMs: Math.max(a.lastTimeMs, b.lastTimeMs),
    lastExpireTimeMs: Math.max(a.lastExpireTimeMs, b.lastExpireTimeMs),
  };
}

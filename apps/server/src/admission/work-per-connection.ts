import type { LoadClass } from '../methods.ts';

/** A place that a call has taken. */
export interface WorkPlace {
  readonly startedAtMs: number;
}

/** Of a call that is no issue: nobody asks how long it has been under way. */
const UNTIMED: WorkPlace = { startedAtMs: 0 };

/** Share of a connection's places that issues may take while they do not get on. */
const ISSUE_SHARE = 3 / 4;
/** Issues do not get on when the oldest of a connection is under way for so long: far longer than a commit takes. */
const STUCK_MS = 1000;

interface Work {
  underWay: number;
  /** Issues, the oldest first. */
  readonly issues: Set<WorkPlace>;
}

/**
 * Holds each connection to a number of calls under way. HTTP/2 counts streams only: a call that is cancelled makes room for
 * the next one at once, while what it has begun goes on. So one client could take the places of all others.
 *
 * While the issues of a connection are stuck, as with a store that is silent, they may not take all of its places: a quarter
 * is left for validating, which needs no store.
 */
export class WorkPerConnection {
  readonly #max: number;
  readonly #maxStuckIssues: number;
  readonly #nowMs: () => number;
  readonly #underWay = new WeakMap<object, Work>();
  /** Of all connections that are gone. */
  readonly #ofGone: Work = { underWay: 0, issues: new Set() };

  /** @param nowMs milliseconds of a monotonic clock. */
  constructor(max: number, nowMs: () => number = () => performance.now()) {
    this.#max = max;
    this.#maxStuckIssues = Math.max(1, Math.floor(max * ISSUE_SHARE));
    this.#nowMs = nowMs;
  }

  /** Takes a place; `undefined` when the connection has none left for a call of this class. */
  begin(connection: object | undefined, load: LoadClass): WorkPlace | undefined {
    const own = this.#of(connection);
    if (own.underWay >= this.#max) return undefined;
    let place = UNTIMED;
    if (load === 'ISSUE') {
      place = { startedAtMs: this.#nowMs() };
      if (own.issues.size >= this.#maxStuckIssues && isStuck(own, place.startedAtMs)) return undefined;
      own.issues.add(place);
    }
    own.underWay++;
    return place;
  }

  /** Gives back a place that was taken. */
  end(connection: object | undefined, place: WorkPlace): void {
    const own = this.#of(connection);
    own.issues.delete(place);
    own.underWay--;
  }

  #of(connection: object | undefined): Work {
    if (connection === undefined) return this.#ofGone;
    let own = this.#underWay.get(connection);
    if (own === undefined) {
      own = { underWay: 0, issues: new Set() };
      this.#underWay.set(connection, own);
    }
    return own;
  }
}

function isStuck({ issues }: Work, nowMs: number): boolean {
  const [oldest] = issues;
  return oldest !== undefined && nowMs - oldest.startedAtMs > STUCK_MS;
}

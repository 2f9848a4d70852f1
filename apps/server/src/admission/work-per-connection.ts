import type { LoadClass } from '../methods.ts';

/** Share of a connection's places that issues may take while they do not get on. */
const ISSUE_SHARE = 3 / 4;
/** Issues do not get on when none of a connection has ended for so long: far longer than a commit takes. */
const STUCK_MS = 1000;

interface Work {
  underWay: number;
  issues: number;
  /** Time at which the last issue ended, or the first of those under way began. */
  movedAtMs: number;
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
  readonly #ofGone: Work = { underWay: 0, issues: 0, movedAtMs: 0 };

  /** @param nowMs milliseconds of a monotonic clock. */
  constructor(max: number, nowMs: () => number = () => performance.now()) {
    this.#max = max;
    this.#maxStuckIssues = Math.max(1, Math.floor(max * ISSUE_SHARE));
    this.#nowMs = nowMs;
  }

  /** Takes a place; returns false when the connection has none left for a call of this class. */
  begin(connection: object | undefined, load: LoadClass): boolean {
    const own = this.#of(connection);
    if (own.underWay >= this.#max) return false;
    if (load === 'ISSUE') {
      if (own.issues === 0) own.movedAtMs = this.#nowMs();
      else if (own.issues >= this.#maxStuckIssues && this.#nowMs() - own.movedAtMs > STUCK_MS) return false;
      own.issues++;
    }
    own.underWay++;
    return true;
  }

  /** Gives back a place that was taken. */
  end(connection: object | undefined, load: LoadClass): void {
    const own = this.#of(connection);
    own.underWay--;
    if (load !== 'ISSUE') return;
    own.issues--;
    own.movedAtMs = this.#nowMs();
  }

  #of(connection: object | undefined): Work {
    if (connection === undefined) return this.#ofGone;
    let own = this.#underWay.get(connection);
    if (own === undefined) {
      own = { underWay: 0, issues: 0, movedAtMs: 0 };
      this.#underWay.set(connection, own);
    }
    return own;
  }
}

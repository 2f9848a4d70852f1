/** Stands for all connections that are gone. */
const GONE = Symbol('a connection that is gone');

/**
 * Holds each connection to a number of calls under way. HTTP/2 counts streams only: a call that is cancelled makes room for
 * the next one at once, while what it has begun goes on. So one client could take the places of all others.
 */
export class WorkPerConnection {
  readonly #max: number;
  readonly #underWay = new Map<unknown, number>();

  constructor(max: number) {
    this.#max = max;
  }

  /** Takes a place; `false` when the connection has none left. The connections that are gone are one. */
  begin(connection: object | undefined): boolean {
    const own = this.#underWay.get(connection ?? GONE) ?? 0;
    if (own >= this.#max) return false;
    this.#underWay.set(connection ?? GONE, own + 1);
    return true;
  }

  /** Gives back a place that was taken. */
  end(connection: object | undefined): void {
    const left = (this.#underWay.get(connection ?? GONE) ?? 0) - 1;
    if (left > 0) this.#underWay.set(connection ?? GONE, left);
    else this.#underWay.delete(connection ?? GONE);
  }
}

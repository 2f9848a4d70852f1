/**
 * Holds each connection to a number of calls under way. HTTP/2 counts streams only: a call that is cancelled makes room for
 * the next one at once, while what it has begun goes on. So one client could take the places of all others.
 */
export class WorkPerConnection {
  readonly #max: number;
  /** `undefined` stands for all connections that are gone. */
  readonly #underWay = new Map<object | undefined, number>();

  constructor(max: number) {
    this.#max = max;
  }

  /** Takes a place; `false` when the connection has none left. */
  begin(connection: object | undefined): boolean {
    const own = this.#underWay.get(connection) ?? 0;
    if (own >= this.#max) return false;
    this.#underWay.set(connection, own + 1);
    return true;
  }

  /** Gives back a place that was taken. */
  end(connection: object | undefined): void {
    const left = (this.#underWay.get(connection) ?? 0) - 1;
    if (left > 0) this.#underWay.set(connection, left);
    else this.#underWay.delete(connection);
  }
}

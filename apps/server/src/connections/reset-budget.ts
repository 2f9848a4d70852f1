/** So many seconds' worth may be spent at once. */
const BURST_SECONDS = 5;

interface Account {
  left: number;
  atMs: number;
  spent: boolean;
}

/**
 * How many calls each peer may begin and take back. For all of its connections together: the HTTP/2 library counts too, but
 * anew for each connection, so that a peer would only have to connect again.
 */
export class ResetBudget {
  readonly #perSecond: number;
  readonly #burst: number;
  readonly #accounts = new Map<string, Account>();

  /** @param perSecond 0 for any number. */
  constructor(perSecond: number) {
    this.#perSecond = perSecond;
    this.#burst = perSecond * BURST_SECONDS;
  }

  /** Peers that are remembered. */
  get size(): number {
    return this.#accounts.size;
  }

  /** Takes one; `false` when the peer has none left. `nowMs` is monotonic. */
  take(peer: string, nowMs: number): boolean {
    if (this.#perSecond === 0) return true;
    let account = this.#accounts.get(peer);
    if (account === undefined) {
      account = { left: this.#burst, atMs: nowMs, spent: false };
      this.#accounts.set(peer, account);
    }
    account.left = this.#leftOf(account, nowMs);
    account.atMs = nowMs;
    account.spent = account.left < 1;
    if (account.spent) return false;
    account.left--;
    return true;
  }

  /** Whether a peer had none left, and has not yet what it may take in a second. */
  isSpent(peer: string, nowMs: number): boolean {
    const account = this.#accounts.get(peer);
    return account !== undefined && account.spent && this.#leftOf(account, nowMs) < this.#perSecond;
  }

  /** Forgets the peers that have all of theirs again, so that memory is bounded by those that reset lately. */
  forgetRested(nowMs: number): void {
    for (const [peer, account] of this.#accounts) {
      if (this.#leftOf(account, nowMs) >= this.#burst) this.#accounts.delete(peer);
    }
  }

  #leftOf({ left, atMs }: Account, nowMs: number): number {
    return Math.min(this.#burst, left + ((nowMs - atMs) / 1000) * this.#perSecond);
  }
}

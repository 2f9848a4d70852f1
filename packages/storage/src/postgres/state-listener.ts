import pg from 'pg';
import { connectionOptions } from './connection.ts';

/** The channel on which instances tell each other that the state changed. */
export const STATE_CHANNEL = 'callpass_state';

const RECONNECT_MS = 1_000;
const CONNECT_LIMIT_MS = 5_000;

/** Listens for changed states, and connects again when the connection ends. What was missed meanwhile counts as one. */
export class StateListener {
  readonly #url: string;
  readonly #changed: () => void;
  #client: pg.Client | undefined;
  #timer: NodeJS.Timeout | undefined;
  #closed = false;

  constructor(url: string, changed: () => void) {
    this.#url = url;
    this.#changed = changed;
    void this.#connect();
  }

  async close(): Promise<void> {
    this.#closed = true;
    clearTimeout(this.#timer);
    await this.#client?.end().catch(() => undefined);
  }

  async #connect(): Promise<void> {
    const client = new pg.Client(
      connectionOptions(this.#url, { timeoutMs: CONNECT_LIMIT_MS, lockMs: CONNECT_LIMIT_MS }),
    );
    this.#client = client;
    client.on('notification', this.#changed);
    client.on('error', () => undefined);
    client.once('end', () => this.#connectLater(client));
    try {
      await client.connect();
      await client.query(`listen ${STATE_CHANNEL}`);
      this.#changed();
    } catch {
      await client.end().catch(() => undefined);
      this.#connectLater(client);
    }
  }

  #connectLater(client: pg.Client): void {
    if (this.#closed || this.#client !== client) return;
    this.#client = undefined;
    this.#timer = setTimeout(() => void this.#connect(), RECONNECT_MS);
  }
}

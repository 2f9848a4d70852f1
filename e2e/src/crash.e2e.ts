import { randomBytes } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { postgresServer } from '@callpass/testkit/postgres-server';
import { describe, expect, it } from '@jest/globals';
import { keptDatabase } from './canary/kept.ts';
import { inFull } from './full.ts';
import { readLedger } from './ledger.ts';
import { startLoad } from './load.ts';
import { ended, startServerProcess } from './processes.ts';
import { provision } from './provision.ts';

const ROUNDS = inFull(20, 8);
const LEAST_GRANTS = 500;

/** Store that all rounds of a test write to, and its removal. */
interface Store {
  readonly url: string;
  remove(): Promise<void>;
}

const STORES: Record<string, () => Promise<Store>> = {
  async SQLite() {
    const folder = mkdtempSync(join(tmpdir(), 'callpass-crash-'));
    return {
      url: `sqlite:${join(folder, 'callpass.db')}`,
      remove: async () => {
        rmSync(folder, { recursive: true });
      },
    };
  },
  async PostgreSQL() {
    const server = await postgresServer();
    const database = await keptDatabase(server);
    return {
      url: database.url,
      async remove() {
        await database.remove();
        await server.remove();
      },
    };
  },
};

describe.each(Object.keys(STORES))('kill -9 under load on %s', (name) => {
  it(`leaves an entry for every answer that was received, ${ROUNDS} times, and chains that verify`, async () => {
    const store = await (STORES[name] as () => Promise<Store>)();
    const environment = {
      CALLPASS_STORE_URL: store.url,
      CALLPASS_KEY_ENCRYPTION_KEY: randomBytes(32).toString('base64'),
      CALLPASS_LOG_LEVEL: 'error',
    };
    const received: string[] = [];
    for (let round = 0; round < ROUNDS; round++) {
      const server = await startServerProcess(environment);
      if (round === 0) await provision(server.address);
      const load = startLoad(server.address, 'd', { workers: 16 });
      await load.reached(LEAST_GRANTS + Math.floor(Math.random() * 300));
      server.child.kill('SIGKILL');
      await ended(server.child);
      await load.stop();
      expect(load.outcome.unexpected).toEqual([]);
      received.push(...load.outcome.granted.map(({ issuanceId }) => issuanceId));
      await server.stop();
    }
    const server = await startServerProcess(environment);
    const { issued, intact, faults } = await readLedger(server.address);
    await server.stop();
    await store.remove();
    const missing = received.filter((id) => !issued.has(id));
    process.stderr.write(`${name}: ${received.length} answers received, ${missing.length} entries missing\n`);
    expect(received.length).toBeGreaterThanOrEqual(ROUNDS * LEAST_GRANTS);
    expect(missing).toEqual([]);
    expect({ intact, faults }).toEqual({ intact: true, faults: [] });
  }, 600_000);
});

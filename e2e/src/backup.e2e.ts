import { randomBytes } from 'node:crypto';
import { copyFileSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { scriptOf } from '@callpass/testkit/programs';
import { describe, expect, it } from '@jest/globals';
import { startSystemPostgres } from './debian-postgres.ts';
import { readLedger } from './ledger.ts';
import { startLoad } from './load.ts';
import { run, startServerProcess } from './processes.ts';
import { provision } from './provision.ts';

const BEFORE = 1500;
const AFTER = 500;

/** A store that can be backed up and restored as docs/operations/backup-and-restore.md says. */
interface BackedUpStore {
  readonly url: string;
  /** Makes a backup while the store is in use. */
  backUp(environment: NodeJS.ProcessEnv): Promise<void>;
  /** Restores the backup to a place of its own, and gives its URL. */
  restore(): Promise<string>;
  remove(): Promise<void>;
}

const callpass = (...args: string[]) => run('node', [scriptOf('cli'), ...args]);
const callpassServer = (env: NodeJS.ProcessEnv, ...args: string[]) =>
  run('node', [scriptOf('server'), ...args], { env });

const STORES: Record<string, () => Promise<BackedUpStore>> = {
  async SQLite() {
    const folder = mkdtempSync(join(tmpdir(), 'callpass-backup-'));
    const [backup, restored] = [join(folder, 'backup.db'), join(folder, 'restored.db')];
    return {
      url: `sqlite:${join(folder, 'callpass.db')}`,
      async backUp(environment) {
        const { code, stderr } = await callpassServer(environment, 'backup', '--to', backup);
        expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
      },
      async restore() {
        copyFileSync(backup, restored);
        return `sqlite:${restored}`;
      },
      async remove() {
        rmSync(folder, { recursive: true });
      },
    };
  },
  async PostgreSQL() {
    const postgres = await startSystemPostgres();
    const dump = 'callpass.dump';
    await postgres.tool('createdb', '--maintenance-db', postgres.url('postgres'), 'callpass');
    return {
      url: postgres.url('callpass'),
      async backUp() {
        await postgres.tool('pg_dump', '-Fc', '-f', dump, postgres.url('callpass'));
      },
      async restore() {
        await postgres.tool('createdb', '--maintenance-db', postgres.url('postgres'), 'restored');
        await postgres.tool('pg_restore', '--exit-on-error', '-d', postgres.url('restored'), dump);
        return postgres.url('restored');
      },
      remove: () => postgres.remove(),
    };
  },
};

describe.each(Object.keys(STORES))('a backup of %s under load', (name) => {
  it('restores to a store that has the record of every answer from before, and whose chains verify', async () => {
    const store = await (STORES[name] as () => Promise<BackedUpStore>)();
    const environment = {
      CALLPASS_STORE_URL: store.url,
      CALLPASS_KEY_ENCRYPTION_KEY: randomBytes(32).toString('base64'),
      CALLPASS_LOG_LEVEL: 'error',
    };
    const server = await startServerProcess(environment);
    await provision(server.address);
    const load = startLoad(server.address, 'd', { workers: 16 });
    await load.reached(BEFORE);
    const before = load.outcome.granted.map(({ issuanceId }) => issuanceId);
    await store.backUp(environment);
    await load.reached(load.outcome.granted.length + AFTER);
    await load.stop();
    await server.stop();
    expect(load.outcome).toMatchObject({ unexpected: [], unavailable: 0 });

    const restored = { ...environment, CALLPASS_STORE_URL: await store.restore() };
    const doctor = await callpassServer(restored, 'doctor');
    const second = await startServerProcess(restored);
    const { issued, intact, faults } = await readLedger(second.address);
    const verified = await callpass('ledger', 'verify', '--address', second.address);
    const again = await callpass('issue', 'd', '--address', second.address);
    await second.stop();
    await store.remove();
    process.stderr.write(
      `${name}: ${before.length} answers before the backup, ${load.outcome.granted.length} in all, ${issued.size} restored\n`,
    );
    expect(before.filter((id) => !issued.has(id))).toEqual([]);
    expect({ intact, faults }).toEqual({ intact: true, faults: [] });
    expect(verified).toMatchObject({ code: 0, stdout: expect.stringMatching(/^intact, \d+ entries/) });
    expect(doctor).toMatchObject({ code: 0, stdout: expect.not.stringContaining('problem') });
    expect(again).toMatchObject({ code: 0 });
  }, 300_000);
});

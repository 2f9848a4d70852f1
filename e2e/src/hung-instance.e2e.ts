import { randomUUID } from 'node:crypto';
import { setTimeout as pause } from 'node:timers/promises';
import { createCredentialClient, type CredentialClient } from '@callpass/client';
import { postgresServer, type PostgresServer } from '@callpass/testkit/postgres-server';
import { afterAll, beforeAll, expect, it } from '@jest/globals';
import { startServerProcess, type ServerProcess } from './processes.ts';
import { provision } from './provision.ts';
import { sharedStore, type SharedStore } from './shared-store.ts';

const CALLS_PER_SECOND = 150;
/**
 * Beyond 15 s the client's keepalive has dropped the connection and dials anew, to a process whose kernel accepts connections that
 * nobody serves: a shorter stop would not show that.
 */
const STOPPED_MS = 30_000;
/** Time that the client has to notice. */
const NOTICED_MS = 2_000;

let store: SharedStore<PostgresServer>;
let servers: readonly ServerProcess[];
let client: CredentialClient;

beforeAll(async () => {
  store = await sharedStore(await postgresServer());
  const first = await startServerProcess(store.environment);
  servers = [first, ...(await Promise.all([1, 2].map(() => startServerProcess(store.environment))))];
  await provision(first.address);
  client = createCredentialClient({ address: `ipv4:${servers.map(({ address }) => address).join()}` });
}, 120_000);
afterAll(async () => {
  client.close();
  for (const server of servers) await server.stop();
  await store.remove();
});

interface Call {
  readonly startedAtMs: number;
  readonly tookMs: number;
  readonly answered: boolean;
}

/** Issues at a steady rate, whatever becomes of the calls; resolves when the last has ended. */
async function issueFor(durationMs: number): Promise<readonly Call[]> {
  const calls: Promise<Call>[] = [];
  const start = performance.now();
  while (performance.now() - start < durationMs) {
    const due = ((performance.now() - start) / 1000) * CALLS_PER_SECOND;
    while (calls.length < due) {
      const startedAtMs = performance.now();
      const ended = (answered: boolean): Call => ({
        startedAtMs: startedAtMs - start,
        tookMs: performance.now() - startedAtMs,
        answered,
      });
      const call = client.issueCredentials({ destination: 'd', requestId: randomUUID() });
      calls.push(
        call.then(
          () => ended(true),
          () => ended(false),
        ),
      );
    }
    await pause(5);
  }
  return Promise.all(calls);
}

it('one of three instances that hangs for 30 s costs no more than the time to notice it', async () => {
  await issueFor(1_000);
  const [hung] = servers;
  hung?.child.kill('SIGSTOP');
  const calls = await issueFor(STOPPED_MS).finally(() => hung?.child.kill('SIGCONT'));
  const good = ({ answered, tookMs }: Call) => answered && tookMs < 1_000;
  const noticed = calls.filter(({ startedAtMs }) => startedAtMs >= NOTICED_MS);
  const share = noticed.filter(good).length / noticed.length;
  const before = calls.filter(({ startedAtMs }) => startedAtMs < NOTICED_MS);
  const late = Math.max(...noticed.map(({ tookMs }) => tookMs));
  process.stderr.write(
    `hung instance: ${(100 * share).toFixed(2)} % of ${noticed.length} calls within 1 s from 2 s on, ` +
      `the longest ${late.toFixed(0)} ms; ${before.filter(good).length} of ${before.length} before\n`,
  );
  expect(noticed.length).toBeGreaterThan(4_000);
  expect(share).toBeGreaterThanOrEqual(0.99);
  expect(before.filter(good).length / before.length).toBeGreaterThanOrEqual(0.9);
  // It is back among the others once it answers again.
  const after = await issueFor(1_000);
  expect(after.filter(good)).toHaveLength(after.length);
}, 60_000);

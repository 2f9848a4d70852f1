import { randomUUID } from 'node:crypto';
import { setTimeout as pause } from 'node:timers/promises';
import { CallpassError, createCredentialClient, type CredentialClient } from '@callpass/client';
import { Verdict } from '@callpass/contract';
import { freePort } from '@callpass/testkit/free-port';
import { postgresServer, type PostgresServer } from '@callpass/testkit/postgres-server';
import { afterAll, beforeAll, expect, it } from '@jest/globals';
import { startEndlessCommand, type EndlessCommand } from './endless-command.ts';
import { readLedger } from './ledger.ts';
import { ended, startServerProcess, type ServerProcess } from './processes.ts';
import { provision } from './provision.ts';
import { sharedStore, type SharedStore } from './shared-store.ts';

const ROUNDS = 2;
const ISSUING_LOOPS = 8;
const VALIDATING_LOOPS = 4;
/** Pause of a loop between two calls: together a few hundred calls a second. */
const PACE_MS = 10;
const GIVE_UP_MS = 60_000;
const LIMIT_MS = 300_000;

let store: SharedStore<PostgresServer>;
let servers: [ServerProcess, ServerProcess];
let tail: EndlessCommand<{ readonly issuanceId: string; readonly hash: string }>;

const startAt = (port: number) =>
  startServerProcess({ ...store.environment, CALLPASS_LISTEN_ADDRESS: `127.0.0.1:${port}` });

beforeAll(async () => {
  store = await sharedStore(await postgresServer(), {
    CALLPASS_LOG_LEVEL: 'warn',
    CALLPASS_TELEMETRY_ADDRESS: '127.0.0.1:0',
  });
  const first = await startAt(await freePort());
  // The second starts on what the first was given, so that no call is too early for it.
  await provision(first.address, { lifetimeSeconds: 600 });
  servers = [first, await startAt(await freePort())];
}, LIMIT_MS);
afterAll(async () => {
  await tail.interrupt();
  for (const server of servers) await server.stop();
  await store.remove();
});

/** Reads the number of credentials that an instance has granted since its start. */
async function granted({ telemetry }: ServerProcess): Promise<number> {
  const scraped = await fetch(`http://${telemetry}/metrics`).then((response) => response.text());
  const samples = scraped.matchAll(/^callpass_issue_decisions_total\{.*decision="issued".*\} (\d+)/gm);
  return [...samples].reduce((sum, [, count]) => sum + Number(count), 0);
}

async function untilItGrants(server: ServerProcess): Promise<void> {
  const start = performance.now();
  while ((await granted(server)) === 0) {
    if (performance.now() - start > GIVE_UP_MS) throw new Error(`${server.address} gets no calls`);
    await pause(50);
  }
}

/** Callers who issue and validate at a steady pace until they are told to stop. */
function startCallers(client: CredentialClient) {
  const issuanceIds: string[] = [];
  const failures: string[] = [];
  let [token, validations, going] = ['', 0, true];
  const issue = async () => {
    const { issuanceId, grant } = await client.issueCredentials({
      destination: 'd',
      requestId: randomUUID(),
    });
    issuanceIds.push(issuanceId);
    if (grant.case === 'timeLimited') token = grant.value.toToken;
  };
  const validate = async () => {
    const { verdict } = await client.validateToken({ realm: 'r', token });
    if (verdict !== Verdict.VALID) failures.push(`the verdict is ${verdict}`);
    validations++;
  };
  const loop = async (call: () => Promise<void>) => {
    while (going) {
      await call().catch((error: unknown) => {
        failures.push(error instanceof CallpassError ? `${error.code} ${error.message}` : String(error));
      });
      await pause(PACE_MS);
    }
  };
  const loops = [
    ...Array.from({ length: ISSUING_LOOPS }, () => loop(issue)),
    ...Array.from({ length: VALIDATING_LOOPS }, async () => {
      while (token === '') await pause(PACE_MS);
      await loop(validate);
    }),
  ];
  return {
    issuanceIds,
    failures,
    validations: () => validations,
    async stop() {
      going = false;
      await Promise.all(loops);
    },
  };
}

it(
  'a rolling restart of two instances under load fails no call of a client that balances by itself, and each answer has one record, which a tail shows once',
  async () => {
    const addresses = servers.map(({ address }) => address);
    // Without repetitions: a drain that needs them would fail the calls that may not be repeated.
    const client = createCredentialClient({ address: `ipv4:${addresses.join()}`, retry: false });
    tail = startEndlessCommand(['ledger', 'tail'], {
      CALLPASS_ADDRESS: `ipv4:${addresses.join()}`,
    });
    const callers = startCallers(client);
    // It begins with what is written after its call has arrived.
    await tail.until(({ length }) => length > 0);
    const before = callers.issuanceIds.length;
    for (const server of servers) await untilItGrants(server);
    for (let round = 0; round < ROUNDS; round++) {
      for (const index of [0, 1] as const) {
        const { child, address } = servers[index];
        child.kill('SIGTERM');
        expect(await ended(child)).toEqual({ code: 0, signal: null });
        servers[index] = await startAt(Number(address.split(':')[1]));
        expect(servers[index].address).toBe(address);
        await untilItGrants(servers[index]);
      }
    }
    await callers.stop();
    client.close();
    const missed = () => {
      const tailed = new Set(tail.written().map(({ issuanceId }) => issuanceId));
      return callers.issuanceIds.slice(before).filter((id) => !tailed.has(id));
    };
    await Promise.race([
      tail.until(() => missed().length === 0),
      pause(GIVE_UP_MS, undefined, { ref: false }),
    ]);
    expect(missed()).toEqual([]);
    expect(new Set(tail.written().map(({ hash }) => hash)).size).toBe(tail.written().length);
    expect(await tail.interrupt()).toMatchObject({ code: 0, stderr: expect.stringContaining('going on') });
    process.stderr.write(
      `${callers.issuanceIds.length} issues, ${callers.validations()} validations, ${callers.failures.length} failed\n`,
    );
    expect(callers.failures).toEqual([]);
    expect(callers.validations()).toBeGreaterThan(0);
    const ledger = await readLedger(addresses[0] ?? '');
    expect(ledger.issued).toEqual(new Set(callers.issuanceIds));
    expect(ledger.issuedRecords).toBe(callers.issuanceIds.length);
    expect(ledger.intact).toBe(true);
  },
  LIMIT_MS,
);

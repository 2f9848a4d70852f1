import { DatabaseSync } from 'node:sqlite';
import { createAdminClient, createCredentialClient, createHealthClient } from '@callpass/client';
import { Verdict } from '@callpass/contract';
import {
  HealthCheckResponse_ServingStatus as Wire,
  type HealthCheckResponse_ServingStatus,
} from '@callpass/rpc-protos/gen/grpc/health/v1/health_pb.js';
import { afterAll, beforeAll, expect, it } from '@jest/globals';
import { startSystemPostgres, type SystemPostgres } from './debian-postgres.ts';
import { startServerProcess, type ServerProcess } from './processes.ts';
import { provision } from './provision.ts';

/** An instance on a real PostgreSQL that goes away: what health says is what a client gets. */
const CREDENTIALS = 'callpass.v1.CredentialService';
const ISSUE = `${CREDENTIALS}/IssueCredentials`;
const VALIDATE = `${CREDENTIALS}/ValidateToken`;
const OPERATING = ['callpass.v1.AdminService', 'callpass.v1.LedgerService'];
const ALL = ['', CREDENTIALS, ISSUE, VALIDATE, ...OPERATING];

/** Three looks a second apart and the answer to one more take about four seconds; the rest is for a busy machine. */
const NOTICED_MS = 30_000;
const LIMIT_MS = 180_000;

interface Clients {
  readonly health: ReturnType<typeof createHealthClient>;
  readonly credentials: ReturnType<typeof createCredentialClient>;
  readonly admin: ReturnType<typeof createAdminClient>;
}

let postgres: SystemPostgres;
let server: ServerProcess;
let clients: Clients;
let token = '';
const cleanups: (() => unknown)[] = [];

/** From now on everything below asks this one, which holds one realm and one destination. */
async function start(environment: NodeJS.ProcessEnv): Promise<void> {
  server = await startServerProcess({
    CALLPASS_TELEMETRY_ADDRESS: '127.0.0.1:0',
    CALLPASS_LOG_LEVEL: 'error',
    ...environment,
  });
  const { stop } = server;
  cleanups.push(stop);
  await provision(server.address, { lifetimeSeconds: 600 });
  const options = { address: server.address, retry: false } as const;
  const opened = {
    health: createHealthClient(options),
    credentials: createCredentialClient(options),
    admin: createAdminClient(options),
  };
  clients = opened;
  cleanups.push(() => {
    for (const client of Object.values(opened)) client.close();
  });
  const { grant } = await issue();
  token = grant.case === 'timeLimited' ? grant.value.toToken : '';
}

beforeAll(async () => {
  postgres = await startSystemPostgres();
  cleanups.push(() => postgres.remove());
  await start({ CALLPASS_STORE_URL: postgres.url('postgres') });
}, LIMIT_MS);
afterAll(async () => {
  for (const cleanup of cleanups.reverse()) await cleanup();
}, LIMIT_MS);

/** The names that serve, as List tells them. */
async function serving(): Promise<string[]> {
  const { statuses } = await clients.health.list({});
  return ALL.filter((name) => statuses[name]?.status === Wire.SERVING);
}

/** Measures the time until a watcher of a name gets this status. */
async function msUntilReported(service: string, wanted: HealthCheckResponse_ServingStatus): Promise<number> {
  const startMs = performance.now();
  for await (const { status } of clients.health.watch({ service }, { timeoutMs: NOTICED_MS })) {
    if (status === wanted) break;
  }
  return performance.now() - startMs;
}

/** Reads health from HTTP and from the metric. */
async function onThePort() {
  const ready = await fetch(`http://${server.telemetry}/readyz`);
  const live = await fetch(`http://${server.telemetry}/livez`);
  const metrics = await (await fetch(`http://${server.telemetry}/metrics`)).text();
  return {
    readyz: ready.status,
    detail: (await ready.json()) as Record<string, unknown>,
    livez: live.status,
    metric: /^callpass_ready(?:\{[^}]*\})? ([01])/m.exec(metrics)?.[1],
  };
}

const issue = () => clients.credentials.issueCredentials({ destination: 'd' });
const validate = () => clients.credentials.validateToken({ realm: 'r', token });
const verdict = async () => (await validate()).verdict;
const reasonOf = (call: Promise<unknown>) =>
  call.then(
    () => 'OK',
    (error: unknown) => (error as { reason?: string }).reason,
  );

async function expectAllServed(): Promise<void> {
  await msUntilReported(ISSUE, Wire.SERVING);
  expect(await serving()).toEqual(ALL);
  expect(await onThePort()).toMatchObject({ readyz: 200, livez: 200, metric: '1' });
  expect(await reasonOf(issue())).toBe('OK');
}

async function expectOnlyValidating(): Promise<void> {
  expect(await serving()).toEqual(['', VALIDATE]);
  expect(await verdict()).toBe(Verdict.VALID);
  // Failures that must not be held against the database once it is back.
  for (let calls = 0; calls < 3; calls++) expect(await reasonOf(issue())).toBe('LEDGER_UNAVAILABLE');
  expect(await onThePort()).toMatchObject({
    readyz: 200,
    detail: { ready: true, issuing: 'no', validating: 'yes', store: 'silent' },
    livez: 200,
    metric: '0',
  });
}

/** Stops the database for as long as the body runs. */
async function whileStopped(body: () => Promise<void>): Promise<void> {
  await postgres.stop();
  await body().finally(() => postgres.start());
}

/** Lets the database say nothing any more, with its connections open, for as long as the body runs. */
async function whileSilent(body: () => Promise<void>): Promise<void> {
  const goOn = postgres.hold();
  await body().finally(goOn);
}

it.each([
  ['is stopped', whileStopped],
  ['says nothing any more', whileSilent],
])(
  'a database that %s: issuing is NOT_SERVING within seconds, validating goes on, and all is back by itself',
  async (name, whileAway) => {
    await expectAllServed();
    let noticedMs = 0;
    await whileAway(async () => {
      noticedMs = await msUntilReported(ISSUE, Wire.NOT_SERVING);
      await expectOnlyValidating();
    });
    const backMs = await msUntilReported(ISSUE, Wire.SERVING);
    await expectAllServed();
    process.stdout.write(`${name}: noticed after ${noticedMs | 0} ms, back after ${backMs | 0} ms\n`);
  },
  LIMIT_MS,
);

it(
  'what only the ledger knows, is frozen: without the store nothing is verified, and the server as a whole does not serve',
  async () => {
    await expectAllServed();
    await clients.admin.freeze({ scope: { scope: { case: 'subject', value: 'nobody' } }, reason: 'test' });
    expect(await verdict()).toBe(Verdict.VALID);
    await whileStopped(async () => {
      await msUntilReported('', Wire.NOT_SERVING);
      expect(await serving()).toEqual([]);
      expect(await reasonOf(validate())).toBe('STORE_UNAVAILABLE');
      expect(await onThePort()).toMatchObject({ readyz: 503, livez: 200, metric: '0' });
    });
    await msUntilReported('', Wire.SERVING);
    expect(await verdict()).toBe(Verdict.VALID);
    await expectAllServed();
  },
  LIMIT_MS,
);

it(
  'a store that answers and cannot be written: issuing is NOT_SERVING, all else serves, and the next commit ends it',
  async () => {
    await start({});
    await expectAllServed();
    const other = new DatabaseSync(server.storeFile);
    try {
      other.exec('begin immediate');
      for (let calls = 0; calls < 2; calls++) expect(await reasonOf(issue())).toBe('LEDGER_UNAVAILABLE');
      await msUntilReported(ISSUE, Wire.NOT_SERVING);
      expect(await serving()).toEqual(['', VALIDATE, ...OPERATING]);
      expect(await verdict()).toBe(Verdict.VALID);
      expect(await onThePort()).toMatchObject({ readyz: 200, detail: { ledger: 'fails' }, metric: '0' });
    } finally {
      other.exec('rollback');
      other.close();
    }
    expect(await reasonOf(issue())).toBe('OK');
    await expectAllServed();
  },
  LIMIT_MS,
);

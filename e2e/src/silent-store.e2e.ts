import { setTimeout as pause } from 'node:timers/promises';
import { errorFromStatus } from '@callpass/client';
import { CredentialService, Verdict, VerdictSchema } from '@callpass/contract';
import { connect, createClient, RpcError } from '@callpass/grpc-kit';
import { ErrorInfoSchema } from '@callpass/rpc-protos/gen/google/rpc/error_details_pb.js';
import { ownPostgresServer, type OwnPostgresServer } from '@callpass/testkit/postgres-server';
import { credentials } from '@grpc/grpc-js';
import { afterAll, beforeAll, expect, it } from '@jest/globals';
import { startServerProcess, type ServerProcess } from './processes.ts';
import { provision } from './provision.ts';
import { sharedStore, type SharedStore } from './shared-store.ts';

/** One client of three servers, whose PostgreSQL stands still for a while: connections stay, and nothing is answered. */
const ISSUES_PER_SECOND = 260;
const VALIDATIONS_PER_SECOND = 75;
const SILENT_MS = 15_000;
/** Longest wait of a record for the store. */
const BOUND_MS = 5_000;
/** Calls of a connection, by the default settings. */
const STREAMS = 128;
/** Longer than any bound of the server, so that the client sees the answer to each call. */
const TIMEOUT_MS = 20_000;

interface Answer {
  readonly kind: 'issue' | 'validate';
  /** VALID, OK, or a reason. */
  readonly outcome: string;
  readonly startedAtMs: number;
  readonly tookMs: number;
}

let store: SharedStore<OwnPostgresServer>;
let servers: ServerProcess[];
beforeAll(async () => {
  store = await sharedStore(await ownPostgresServer(), {
    CALLPASS_LOG_LEVEL: 'silent',
    CALLPASS_TELEMETRY_ADDRESS: '127.0.0.1:0',
  });
  const first = await startServerProcess(store.environment);
  await provision(first.address, { lifetimeSeconds: 600 });
  servers = [first, ...(await Promise.all([1, 2].map(() => startServerProcess(store.environment))))];
}, 60_000);
afterAll(async () => {
  store.postgres.thaw();
  await Promise.all(servers.map((server) => server.stop()));
  await store.remove();
}, 60_000);

it('a PostgreSQL that hangs takes no validation along, issues are refused at once, and all shed load is counted', async () => {
  const connections = servers.map(({ address }) =>
    connect({ address, credentials: credentials.createInsecure() }),
  );
  const clients = connections.map((connection) => createClient(CredentialService, connection));
  const [one] = clients;
  const { grant } = (await one?.issueCredentials({ destination: 'd' })) ?? {};
  const timeLimited = grant?.case === 'timeLimited' ? grant.value : {};
  const options = { timeoutMs: TIMEOUT_MS };
  const answers: Answer[] = [];
  const calls: Promise<void>[] = [];
  const startMs = performance.now();
  const send = async (kind: Answer['kind'], ask: () => Promise<string>) => {
    const sentMs = performance.now();
    const outcome = await ask().catch(reasonOf);
    answers.push({ kind, outcome, startedAtMs: sentMs - startMs, tookMs: performance.now() - sentMs });
  };
  let turn = 0;
  const next = () => clients[turn++ % clients.length] as (typeof clients)[number];
  const stops = [
    every(1000 / ISSUES_PER_SECOND, () => {
      const client = next();
      calls.push(
        send('issue', () => client.issueCredentials({ destination: 'd' }, options).then(() => 'OK')),
      );
    }),
    every(1000 / VALIDATIONS_PER_SECOND, () => {
      const client = next();
      calls.push(
        send('validate', () =>
          client
            .validateCredentials({ timeLimited }, options)
            .then(({ verdict }) => VerdictSchema.value[verdict]?.name ?? ''),
        ),
      );
    }),
  ];

  await pause(1000);
  store.postgres.freeze();
  const frozenAtMs = performance.now();
  const { realm = '', toToken: token = '' } = grant?.case === 'timeLimited' ? grant.value : {};
  const batch = next().batchValidateTokens(
    {
      requests: [
        { realm, token, requireIssuedHere: true },
        { realm, token: 'no token' },
      ],
    },
    options,
  );
  const batchTookMs = batch.then(() => performance.now() - frozenAtMs);
  await pause(SILENT_MS);
  store.postgres.thaw();
  const silentUntilMs = performance.now() - startMs;
  const isBack = () =>
    answers.some(({ outcome, startedAtMs }) => outcome === 'OK' && startedAtMs > silentUntilMs);
  for (let waits = 0; !isBack() && waits < 50; waits++) await pause(100);
  for (const stop of stops) stop();
  await Promise.all(calls);
  const shed = await sumOf('callpass_requests_shed_total{');
  for (const connection of connections) connection.close();

  const of = (kind: Answer['kind']) => answers.filter((answer) => answer.kind === kind);
  const validations = of('validate');
  const issues = of('issue');
  const overloaded = answers.filter(({ outcome }) => outcome === 'OVERLOADED').length;
  // What is refused without being tried does not wait; the others of this reason have waited for the store.
  const atOnce = await sumOf('callpass_ledger_turned_away_total{callpass_ledger_outcome="overdue"');
  const waited = (countsOf(issues)['LEDGER_UNAVAILABLE'] ?? 0) - atOnce;
  process.stderr.write(
    `${issues.length} issues, ${validations.length} validations, slowest ` +
      `${Math.round(Math.max(...validations.map(({ tookMs }) => tookMs)))} ms; ${JSON.stringify(countsOf(issues))}; ` +
      `shed ${shed}; ${waited} issues have waited for the store\n`,
  );
  // Who needs no store waits a second beside those who do, and not as long as they would.
  expect(await batchTookMs).toBeLessThan(BOUND_MS - 2000);
  const [needy, other] = (await batch).results.map(({ result }) => result);
  expect(needy?.case === 'status' && errorFromStatus(needy.value).reason).toBe('STORE_UNAVAILABLE');
  expect(other?.case === 'response' && other.value.verdict).toBe(Verdict.MALFORMED);
  expect(validations.length).toBeGreaterThan(1000);
  expect(countsOf(validations)).toEqual({ VALID: validations.length });
  expect(overloaded).toBeGreaterThan(0);
  expect(Math.abs(shed - overloaded)).toBeLessThanOrEqual(0.01 * overloaded);
  expect(Object.keys(countsOf(issues)).sort()).toEqual(['LEDGER_UNAVAILABLE', 'OK', 'OVERLOADED']);
  // Three quarters of a connection's places wait once, and few after them: a second round would make it 576, a third 864. How many
  // come between the end of the first wait and what is refused at once depends on how late a timer of the server is.
  expect(waited).toBeLessThanOrEqual(servers.length * STREAMS);
  expect(atOnce).toBeGreaterThan(waited);
  expect(isBack()).toBe(true);
}, 60_000);

/** Does something at a fixed rate, whether or not what was done before has ended. Gives what ends it. */
function every(intervalMs: number, work: () => void): () => void {
  let due = performance.now();
  const timer = setInterval(() => {
    for (; due <= performance.now(); due += intervalMs) work();
  }, intervalMs);
  return () => {
    clearInterval(timer);
  };
}

function reasonOf(error: unknown): string {
  if (!(error instanceof RpcError)) throw error;
  return error.findDetails(ErrorInfoSchema)[0]?.reason ?? error.message;
}

function countsOf(answers: readonly Answer[]): Record<string, number> {
  const counts: Record<string, number> = {};
  for (const { outcome } of answers) counts[outcome] = (counts[outcome] ?? 0) + 1;
  return counts;
}

/** Sum over all servers of the series whose names begin so. */
async function sumOf(series: string): Promise<number> {
  const texts = await Promise.all(
    servers.map(async ({ telemetry }) => (await fetch(`http://${telemetry ?? ''}/metrics`)).text()),
  );
  return texts
    .flatMap((text) => text.split('\n'))
    .filter((line) => line.startsWith(series))
    .reduce((sum, line) => sum + Number(line.split(' ').at(-1)), 0);
}

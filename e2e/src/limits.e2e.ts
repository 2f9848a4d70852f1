import { randomBytes } from 'node:crypto';
import { monitorEventLoopDelay } from 'node:perf_hooks';
import { create } from '@bufbuild/protobuf';
import { timestampMs } from '@bufbuild/protobuf/wkt';
import {
  AdminService,
  CallMode,
  ConfigurationSchema,
  CredentialService,
  LedgerEntry_Kind,
  LedgerService,
  LimitFallback,
  LimitScope,
  type IssueCredentialsResponse,
} from '@callpass/contract';
import { connect, createClient, RpcError, type Connection } from '@callpass/grpc-kit';
import { ErrorInfoSchema, RetryInfoSchema } from '@callpass/rpc-protos/gen/google/rpc/error_details_pb.js';
import { postgresServer } from '@callpass/testkit/postgres-server';
import { ownRedisServer, redisIsInstalled, type RedisServer } from '@callpass/testkit/redis-server';
import { credentials } from '@grpc/grpc-js';
import { afterEach, describe, expect, it } from '@jest/globals';
import { keptDatabase } from './canary/kept.ts';
import { startServerProcess, type ServerProcess } from './processes.ts';

const REQUESTS = 10_000;
const MAX = 100;
const WINDOW_MS = 60_000;
/** Time limit of the contract while Redis is unavailable. */
const AWAY_MS = 250;

const QUIET = {
  CALLPASS_LOG_LEVEL: 'error',
  CALLPASS_OVERLOAD_MAX_IN_FLIGHT: '20000',
  CALLPASS_OVERLOAD_MAX_CALL_TIME: '120s',
};

const cleanups: (() => unknown)[] = [];
const finallyDo = (cleanup: () => unknown) => cleanups.push(cleanup);
afterEach(async () => {
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup();
});

async function startServer(environment: NodeJS.ProcessEnv): Promise<ServerProcess> {
  const server = await startServerProcess({ ...QUIET, ...environment });
  finallyDo(() => server.stop());
  return server;
}

function open({ address }: ServerProcess): Connection {
  const connection = connect({ address, credentials: credentials.createInsecure() });
  finallyDo(() => {
    connection.close();
  });
  return connection;
}

const line = (id: string, limit: { max: number; whenUnavailable?: LimitFallback }) => ({
  id,
  account: 'a@x.example',
  callees: ['b@x.example'],
  mode: CallMode.UNRESTRICTED,
  limits: [{ per: LimitScope.DESTINATION, window: { seconds: BigInt(WINDOW_MS / 1000) }, ...limit }],
});

async function configure(connection: Connection, destinations: ReturnType<typeof line>[]): Promise<void> {
  await createClient(AdminService, connection).applyConfiguration({
    configuration: create(ConfigurationSchema, { destinations }),
  });
}

/** Outcome of one request. */
interface Answer {
  readonly granted?: IssueCredentialsResponse;
  readonly reason?: string | undefined;
  readonly retryAfterMs?: number | undefined;
  readonly startedAt: number;
  readonly tookMs: number;
}

async function ask(connection: Connection, destination: string): Promise<Answer> {
  const startedAt = performance.now();
  const took = () => ({ startedAt, tookMs: performance.now() - startedAt });
  try {
    const granted = await createClient(CredentialService, connection).issueCredentials(
      { destination },
      { timeoutMs: 120_000 },
    );
    return { granted, ...took() };
  } catch (error) {
    if (!(error instanceof RpcError)) throw error;
    const [delay] = error.findDetails(RetryInfoSchema).map(({ retryDelay }) => retryDelay);
    return {
      reason: error.findDetails(ErrorInfoSchema)[0]?.reason ?? String(error.code),
      retryAfterMs: delay && Number(delay.seconds) * 1000 + delay.nanos / 1e6,
      ...took(),
    };
  }
}

/** As a client does that was shed before anybody looked at its request: comes back when it is told to. */
async function askPatiently(connection: Connection, destination: string): Promise<Answer> {
  for (;;) {
    const answer = await ask(connection, destination);
    if (answer.reason !== 'OVERLOADED') return answer;
    expect(answer.retryAfterMs).toBeGreaterThan(0);
    await pause(answer.retryAfterMs ?? 0);
  }
}

/** Counts the grants in each window. The first window begins with the first grant. */
function grantedByWindow(answers: readonly Answer[]): number[] {
  const times = answers
    .flatMap(({ granted }) => (granted?.issueTime ? [timestampMs(granted.issueTime)] : []))
    .sort((a, b) => a - b);
  const windows: number[] = [];
  let endMs = -Infinity;
  for (const time of times) {
    if (time >= endMs) {
      endMs = time + WINDOW_MS;
      windows.push(0);
    }
    windows.push((windows.pop() ?? 0) + 1);
  }
  return windows;
}

/** Floods the servers, and holds what comes back to the limit of 100 a minute. */
async function flood(servers: readonly ServerProcess[]): Promise<void> {
  const connections = servers.flatMap((server) => [open(server), open(server)]);
  const admin = connections[0] as Connection;
  await configure(admin, [line('busy', { max: MAX })]);
  // Every instance must know the destination before the flood, without counting against it.
  for (const connection of connections) {
    while (!(await createClient(AdminService, connection).tryIssue({ destination: 'busy' })).allowed) {
      await pause(20);
    }
  }
  const answers = await Promise.all(
    Array.from({ length: REQUESTS }, (_, index) =>
      askPatiently(connections[index % connections.length] as Connection, 'busy'),
    ),
  );
  const refused = answers.filter(({ granted }) => !granted);
  expect([...new Set(refused.map(({ reason }) => reason))]).toEqual(['LIMIT_EXCEEDED']);
  const windows = grantedByWindow(answers);
  expect(windows[0]).toBe(MAX);
  expect(Math.max(...windows)).toBe(MAX);
  for (const { retryAfterMs = 0 } of refused) {
    expect(retryAfterMs).toBeGreaterThan(0);
    expect(retryAfterMs).toBeLessThanOrEqual(WINDOW_MS);
  }

  const granted = answers.filter((answer) => answer.granted).length;
  const ledger = createClient(LedgerService, admin);
  const { entries } = await ledger.listEntries({ kind: LedgerEntry_Kind.ISSUED, pageSize: 1000 });
  expect(entries).toHaveLength(granted);

  // RetryInfo is true to a second: it leads to the end of the window that began with the first grant.
  const probe = await ask(admin, 'busy');
  if (windows.length === 1 && probe.retryAfterMs !== undefined) {
    const first = Math.min(
      ...answers.flatMap(({ granted: given }) => (given?.issueTime ? [timestampMs(given.issueTime)] : [])),
    );
    const promisedMs = Date.now() - probe.tookMs + probe.retryAfterMs;
    expect(Math.abs(promisedMs - (first + WINDOW_MS))).toBeLessThan(1000 + probe.tookMs);
  }
  process.stderr.write(
    `${REQUESTS} requests at ${servers.length} processes: ${windows.join(' + ')} granted\n`,
  );
}

describe('100 a minute', () => {
  it('one process, in memory: exactly 100 of 10,000 at once', async () => {
    await flood([await startServer({})]);
  }, 300_000);
});

if (redisIsInstalled('limits of many processes, and Redis that goes away')) {
  const startRedis = async (): Promise<RedisServer> => {
    const redis = await ownRedisServer();
    finallyDo(() => redis.remove());
    return redis;
  };

  describe('100 a minute over many processes', () => {
    it('four on one Redis and one PostgreSQL: exactly 100 of 10,000 at once', async () => {
      const redis = await startRedis();
      const postgres = await postgresServer();
      finallyDo(() => postgres.remove());
      const database = await keptDatabase(postgres);
      finallyDo(() => database.remove());
      const environment = {
        CALLPASS_STORE_URL: database.url,
        CALLPASS_KEY_ENCRYPTION_KEY: randomBytes(32).toString('base64'),
        CALLPASS_LIMITS_URL: redis.url,
        // Four processes and a flood share this machine: what is slow here is not Redis.
        CALLPASS_LIMITS_TIMEOUT: '1s',
      };
      const servers: ServerProcess[] = [];
      for (let count = 0; count < 4; count++) servers.push(await startServer(environment));
      await flood(servers);
    }, 300_000);
  });

  describe('Redis goes away under load', () => {
    it.each([
      ['stopped', (redis: RedisServer) => redis.stop(), (redis: RedisServer) => redis.start()],
      [
        'held, so that it does not answer',
        async (r: RedisServer) => r.freeze(),
        async (r: RedisServer) => r.thaw(),
      ],
    ])(
      '%s: refused soon where the limit says so, granted where it allows, and by itself again',
      async (...row) => {
        const [name, away, back] = row;
        const redis = await startRedis();
        const server = await startServer({ CALLPASS_LIMITS_URL: redis.url });
        const connection = open(server);
        const max = 1_000_000_000;
        await configure(connection, [
          line('refuse', { max, whenUnavailable: LimitFallback.REFUSE }),
          line('allow', { max, whenUnavailable: LimitFallback.ALLOW }),
        ]);
        const load = startLoad(connection, ['refuse', 'allow']);
        await load.until('refuse', ({ granted }) => granted !== undefined);

        const calmFrom = performance.now();
        await pause(1500);
        const pauses = monitorEventLoopDelay({ resolution: 5 });
        pauses.enable();
        const awayFrom = performance.now();
        await away(redis);
        await load.until('refuse', ({ reason }) => reason === 'LIMITER_UNAVAILABLE');
        await pause(1500);
        const backFrom = performance.now();
        await back(redis);
        const first = await load.until(
          'refuse',
          ({ granted, startedAt }) => granted !== undefined && startedAt > backFrom,
        );
        pauses.disable();
        const againFrom = performance.now();
        await pause(1500);
        const againTo = performance.now();
        await load.stop();

        const calm = [load.between(calmFrom, awayFrom), load.between(againFrom, againTo)].flatMap(
          ({ refuse, allow }) => [...refuse, ...allow],
        );
        const during = load.between(awayFrom, backFrom);
        const slowestCalm = Math.max(...calm.map(({ tookMs }) => tookMs));
        const pausedMs = pauses.max / 1e6;
        const slowest = Math.max(...[...during.refuse, ...during.allow].map(({ tookMs }) => tookMs));
        process.stderr.write(
          `Redis ${name}: ${during.refuse.length} answers, slowest after ${slowest.toFixed(0)} ms ` +
            `(${slowestCalm.toFixed(0)} ms before and after, this process paused for ${pausedMs.toFixed(0)} ms); granted again ${(first.startedAt - backFrom).toFixed(0)} ms after it was back\n`,
        );
        expect(new Set(during.refuse.map(({ reason = 'granted' }) => reason))).toContain(
          'LIMITER_UNAVAILABLE',
        );
        for (const { granted, reason } of during.refuse) {
          if (!granted) expect(reason).toBe('LIMITER_UNAVAILABLE');
        }
        expect(during.allow.map(({ reason }) => reason).filter(Boolean)).toEqual([]);
        // How busy this machine is shows in what the same load took before and after, and in how long it let this process wait.
        expect(slowest).toBeLessThan(AWAY_MS + Math.max(slowestCalm, pausedMs));
      },
      120_000,
    );
  });
}

const pause = (ms: number) => new Promise<void>((resolve) => setTimeout(resolve, ms));

type Destination = 'refuse' | 'allow';

/** A moderate load that goes on until it is stopped: four callers for each destination. */
function startLoad(connection: Connection, destinations: readonly Destination[]) {
  const answers: Record<Destination, Answer[]> = { refuse: [], allow: [] };
  let going = true;
  const callers = destinations.flatMap((destination) =>
    Array.from({ length: 4 }, async () => {
      while (going) {
        answers[destination].push(await ask(connection, destination));
        await pause(5);
      }
    }),
  );
  const within = (list: readonly Answer[], from: number, to: number) =>
    list.filter(({ startedAt }) => startedAt >= from && startedAt < to);
  return {
    /** The first answer from now on that is as expected. */
    async until(destination: Destination, expected: (answer: Answer) => boolean): Promise<Answer> {
      const deadline = performance.now() + 30_000;
      for (let seen = answers[destination].length; performance.now() < deadline;) {
        const found = answers[destination].slice(seen).find(expected);
        if (found) return found;
        seen = answers[destination].length;
        await pause(5);
      }
      throw new Error(`no answer for ${destination} was as expected within 30 s`);
    },
    between: (from: number, to: number) => ({
      refuse: within(answers.refuse, from, to),
      allow: within(answers.allow, from, to),
    }),
    async stop() {
      going = false;
      await Promise.all(callers);
    },
  };
}

import { afterEach, describe, expect, it, jest } from '@jest/globals';
import { createClient, RpcError } from '@callpass/grpc-kit';
import {
  Health,
  HealthCheckResponse_ServingStatus as Wire,
} from '@callpass/rpc-protos/gen/grpc/health/v1/health_pb.js';
import { freePort } from '@callpass/testkit/free-port';
import { ownRedisServer, redisIsInstalled } from '@callpass/testkit/redis-server';
import { status } from '@grpc/grpc-js';
import { START_MS, startTestServer, type TestServer } from '../testing/test-server.ts';

const CREDENTIALS = 'callpass.v1.CredentialService';
const ISSUE = `${CREDENTIALS}/IssueCredentials`;
const VALIDATE = `${CREDENTIALS}/ValidateToken`;
const OPERATING = ['callpass.v1.AdminService', 'callpass.v1.LedgerService'];
const ALL = ['', CREDENTIALS, ISSUE, VALIDATE, ...OPERATING];

// Looks are a second apart, and a machine may be busy.
jest.setTimeout(120_000);

let server: TestServer;
afterEach(() => server.stop());

const healthOf = ({ connection }: TestServer) => createClient(Health, connection);

/** The names that serve, as List tells them. */
async function serving(of: TestServer): Promise<string[]> {
  const { statuses } = await healthOf(of).list({});
  expect(Object.keys(statuses).sort()).toEqual([...ALL].sort());
  return ALL.filter((name) => statuses[name]?.status === Wire.SERVING);
}

/** Follows one name: each status that is sent. */
function follow(of: TestServer, service: string) {
  const watch = healthOf(of).watch({ service }, { timeoutMs: Infinity })[Symbol.asyncIterator]();
  return async () => (await watch.next()).value?.status;
}

/** One destination, whose limit refuses or grants while it cannot be counted. */
const limited = (whenUnavailable: 'REFUSE' | 'ALLOW') => `
realms: [{ name: r.example, cipher: AES_128_ECB, tokenLifetime: 600s }]
destinations:
  - id: d
    realm: r.example
    account: a@x.example
    callees: [b@x.example]
    limits: [{ per: DESTINATION, max: 5, window: 60s, whenUnavailable: ${whenUnavailable} }]
`;

describe('health of a server', () => {
  it('serves under every name once it is reached at all, and knows no others', async () => {
    server = await startTestServer();
    expect(await serving(server)).toEqual(ALL);
    const error: unknown = await healthOf(server)
      .check({ service: `${CREDENTIALS}/Nothing` })
      .catch((thrown: unknown) => thrown);
    expect(error).toBeInstanceOf(RpcError);
    expect(error).toMatchObject({ code: status.NOT_FOUND });
  });

  it('issues no more while the clock is not to be trusted, validates, and is back once the step is undone', async () => {
    const clocks = { wall: START_MS, monotonic: 1000 };
    server = await startTestServer({
      clockSource: { wallMs: () => clocks.wall, monotonicMs: () => clocks.monotonic, sleptMs: () => 0 },
    });
    const [issuing, validating] = [follow(server, ISSUE), follow(server, VALIDATE)];
    expect(await Promise.all([issuing(), validating()])).toEqual([Wire.SERVING, Wire.SERVING]);
    clocks.wall += 60_000;
    expect(await issuing()).toBe(Wire.NOT_SERVING);
    expect(await serving(server)).toEqual(['', VALIDATE, ...OPERATING]);
    clocks.wall -= 60_000;
    const seconds = setInterval(() => {
      clocks.wall += 1000;
      clocks.monotonic += 1000;
    }, 50);
    expect(await issuing()).toBe(Wire.SERVING);
    clearInterval(seconds);
    expect(await serving(server)).toEqual(ALL);
  });

  it('issues without a limiter as long as somebody would get credentials, and not when nobody would', async () => {
    server = await startTestServer({
      environment: { CALLPASS_LIMITS_URL: `redis://127.0.0.1:${await freePort()}` },
    });
    expect(await serving(server)).toEqual(ALL);
    const issuing = follow(server, CREDENTIALS);
    expect(await issuing()).toBe(Wire.SERVING);
    await server.configure(limited('REFUSE'));
    expect(await issuing()).toBe(Wire.NOT_SERVING);
    expect(await serving(server)).toEqual(['', VALIDATE, ...OPERATING]);
    await server.configure(limited('ALLOW'));
    expect(await issuing()).toBe(Wire.SERVING);
  });

  if (redisIsInstalled('health with a limiter that answers, goes away and comes back')) {
    it('waits for the limiter before it serves, notices that it is gone, and that it is back', async () => {
      const redis = await ownRedisServer();
      try {
        const first = await startTestServer({ environment: { CALLPASS_LIMITS_URL: redis.url } });
        await first.configure(limited('REFUSE'));
        server = await startTestServer({ environment: first.environment });
        expect(await serving(server)).toEqual(ALL);
        await first.stop();
        const issuing = follow(server, CREDENTIALS);
        expect(await issuing()).toBe(Wire.SERVING);
        await redis.stop();
        expect(await issuing()).toBe(Wire.NOT_SERVING);
        expect(await serving(server)).toEqual(['', VALIDATE, ...OPERATING]);
        await redis.start();
        expect(await issuing()).toBe(Wire.SERVING);
      } finally {
        await redis.remove();
      }
    });
  }

  it('says so to those who watch, before it stops', async () => {
    server = await startTestServer();
    const watched = ALL.map((name) => follow(server, name));
    expect(new Set(await Promise.all(watched.map((next) => next())))).toEqual(new Set([Wire.SERVING]));
    const stopped = server.stop();
    expect(new Set(await Promise.all(watched.map((next) => next())))).toEqual(new Set([Wire.NOT_SERVING]));
    await stopped;
  });
});

import { readFileSync } from 'node:fs';
import { connect as connectTcp } from 'node:net';
import { join } from 'node:path';
import { AdminService, Cipher, CredentialService, LimitScope } from '@callpass/contract';
import { connect, createClient, type Connection } from '@callpass/grpc-kit';
import { startOtlpReceiver, type OtlpReceiver } from '@callpass/otlp-receiver';
import { ownRedisServer, type RedisServer } from '@callpass/testkit/redis-server';
import { credentials } from '@grpc/grpc-js';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { parse } from 'yaml';
import { startWithDevCerts, type DevCertsServer } from './dev-certs.ts';
import { ROOT, startServerProcess, type ServerProcess } from './processes.ts';
import { startPrometheus, type PrometheusServer } from './prometheus-server.ts';

interface Panel {
  readonly title: string;
  readonly targets: readonly { readonly expr: string }[];
}
interface Rules {
  readonly groups: readonly {
    readonly rules: readonly { readonly expr: string; readonly alert?: string }[];
  }[];
}

const read = (name: string) => readFileSync(join(ROOT, 'deploy', name), 'utf8');
const PANELS = (JSON.parse(read('grafana/callpass.json')) as { panels: readonly Panel[] }).panels;
const RULES = ['rules', 'alerts'].flatMap((name) =>
  (parse(read(`prometheus/${name}.yaml`)) as Rules).groups.flatMap(({ rules }) => rules),
);
const GIVE_UP_MS = 120_000;

/** The names of series in an expression: what is left without labels, strings and grouping. */
function namesIn(expression: string): readonly string[] {
  const bare = expression
    .replace(/"(?:[^"\\]|\\.)*"/g, '')
    .replace(/\{[^}]*\}/g, '')
    .replace(/\b(by|on|without|ignoring) *\([^)]*\)/g, '');
  return bare.match(/\b(?:callpass|rpc|http|nodejs|process)_\w+|\bcallpass:\w+:\w+|\bup\b/g) ?? [];
}

describe('a live server, scraped by Prometheus', () => {
  let server: ServerProcess;
  let withTls: DevCertsServer;
  let connection: Connection;
  let prometheus: PrometheusServer;
  let redis: RedisServer;
  let receiver: OtlpReceiver;
  let going = true;
  let traffic: Promise<void>;

  beforeAll(async () => {
    const telemetry = { CALLPASS_TELEMETRY_ADDRESS: '127.0.0.1:0', CALLPASS_LOG_LEVEL: 'error' };
    server = await startServerProcess({ ...telemetry, CALLPASS_OVERLOAD_MAX_IN_FLIGHT: '1' });
    redis = await ownRedisServer();
    receiver = await startOtlpReceiver();
    // Some metrics are only of a server with shared limits, or with a collector.
    withTls = await startWithDevCerts({
      ...telemetry,
      CALLPASS_LIMITS_URL: redis.url,
      OTEL_EXPORTER_OTLP_TRACES_ENDPOINT: `${receiver.url}/v1/traces`,
      OTEL_EXPORTER_OTLP_PROTOCOL: 'http/json',
    });
    connection = connect({ address: server.address, credentials: credentials.createInsecure() });
    await setUp(connection);
    traffic = keepAsking(connection, withTls.address, () => going);
    prometheus = await startPrometheus([server.telemetry, withTls.telemetry].map((address) => address ?? ''));
  }, 180_000);
  afterAll(async () => {
    going = false;
    await traffic;
    await prometheus.stop();
    connection.close();
    await server.stop();
    await withTls.stop();
    await redis.remove();
    await receiver.close();
  });

  /** Asks until what is left of a list is nothing, or for too long. */
  async function untilNothingIsLeft(left: () => Promise<readonly string[]>): Promise<readonly string[]> {
    const start = performance.now();
    for (;;) {
      const rest = await left();
      if (rest.length === 0 || performance.now() - start > GIVE_UP_MS) return rest;
      await new Promise((resolve) => setTimeout(resolve, 500));
    }
  }

  it('has every metric that rules, alerts and dashboard name', async () => {
    const named = new Set([
      ...RULES.flatMap(({ expr }) => namesIn(expr)),
      ...PANELS.flatMap(({ targets }) => targets.flatMap(({ expr }) => namesIn(expr))),
    ]);
    expect(named.size).toBeGreaterThan(30);
    const missing = await untilNothingIsLeft(async () => {
      const there = await prometheus.names();
      return [...named].filter((name) => !there.has(name));
    });
    expect(missing).toEqual([]);
  }, 180_000);

  it('fills every panel of the dashboard', async () => {
    const queries = PANELS.flatMap(({ title, targets }) => targets.map(({ expr }) => ({ title, expr })));
    const empty = await untilNothingIsLeft(async () => {
      const answers = await Promise.all(
        queries.map(async ({ title, expr }) => {
          const samples = await prometheus.query(expr.replaceAll('$__rate_interval', '1m'));
          const full = samples.some(({ value }) => Number.isFinite(Number(value[1])));
          return full ? [] : [`${title}: ${expr}`];
        }),
      );
      return answers.flat();
    });
    expect(empty).toEqual([]);
  }, 180_000);

  it('sets off no alarm about a machine that is well', async () => {
    const firing = await prometheus.query('ALERTS{alertstate="firing",severity="page"}');
    expect(firing.map(({ metric }) => metric['alertname'])).toEqual([]);
  });
});

/** One realm; destination `d` with a limit that is soon used up, and `free` without. */
async function setUp(connection: Connection): Promise<void> {
  const admin = createClient(AdminService, connection);
  const limit = { per: LimitScope.DESTINATION, max: 20, window: { seconds: 3600n } };
  const destination = { realm: 'r', account: 'a@x.example', callees: ['b@x.example'] };
  await admin.applyConfiguration({
    configuration: {
      realms: [{ name: 'r', cipher: Cipher.AES_256_CBC_HMAC_SHA256, tokenLifetime: { seconds: 60n } }],
      destinations: [
        { id: 'd', ...destination, limits: [limit] },
        { id: 'free', ...destination },
      ],
    },
  });
  await admin.addRealmKey({ realm: 'r' });
  await admin.activateRealmKey({ realm: 'r', version: 1 });
}

/** Grants, refusals, load that is shed, tokens good and bad, and handshakes that fail. */
async function keepAsking(connection: Connection, tlsAddress: string, going: () => boolean): Promise<void> {
  const client = createClient(CredentialService, connection);
  const refused = () => undefined;
  while (going()) {
    const granted = await client.issueCredentials({ destination: 'free' }).catch(refused);
    await client.issueCredentials({ destination: 'd' }).catch(refused);
    await client.issueCredentials({ destination: 'unknown' }).catch(refused);
    await Promise.all(
      Array.from({ length: 8 }, () => client.issueCredentials({ destination: 'free' }).catch(refused)),
    );
    const token = granted?.grant.case === 'timeLimited' ? granted.grant.value.toToken : '00'.repeat(16);
    await client.validateToken({ realm: 'r', token }).catch(refused);
    await client.validateToken({ realm: 'r', token: 'no token' }).catch(refused);
    await failHandshake(tlsAddress);
    await new Promise((resolve) => setTimeout(resolve, 200));
  }
}

/** Speaks plain text where TLS is expected. */
function failHandshake(address: string): Promise<void> {
  const [host = '', port] = address.split(':');
  return new Promise((resolve) => {
    const socket = connectTcp(Number(port), host, () => socket.end('GET / HTTP/1.1\r\n\r\n'));
    socket.on('error', () => undefined);
    socket.on('close', () => {
      resolve();
    });
    socket.resume();
  });
}

import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { setTimeout as pause } from 'node:timers/promises';
import {
  ownPostgresServer,
  type OwnPostgresServer,
  type TestDatabase,
} from '@callpass/testkit/postgres-server';
import { ownRedisServer, type RedisServer } from '@callpass/testkit/redis-server';
import { afterAll, beforeAll, expect, it } from '@jest/globals';
import { keptDatabase } from './canary/kept.ts';
import { startServerProcess, type ServerProcess } from './processes.ts';
import { stepClock, WITH_CLOCK_TO_STEP } from './stepped-clock.ts';
import { SHIPPED_INTERVALS, startPrometheus, type PrometheusServer } from './prometheus-server.ts';

const PENDING_WITHIN_MS = 15_000;
const FIRING_WITHIN_MS = 60_000;

let postgres: OwnPostgresServer;
let database: TestDatabase;
let redis: RedisServer;
let flushed: RedisServer;
let servers: readonly ServerProcess[];
/** Takes what it is sent, until it is stopped. */
let collector: Server;
let prometheus: PrometheusServer;

beforeAll(async () => {
  const telemetry = { CALLPASS_TELEMETRY_ADDRESS: '127.0.0.1:0', CALLPASS_LOG_LEVEL: 'error' };
  [postgres, redis, flushed] = await Promise.all([ownPostgresServer(), ownRedisServer(), ownRedisServer()]);
  database = await keptDatabase(postgres);
  collector = createServer((request, response) => void request.resume().on('end', () => response.end()));
  await new Promise<void>((resolve) => void collector.listen(0, '127.0.0.1', resolve));
  servers = await Promise.all([
    startServerProcess({ ...telemetry, CALLPASS_STORE_URL: database.url }),
    startServerProcess({
      ...telemetry,
      CALLPASS_LIMITS_URL: redis.url,
      OTEL_EXPORTER_OTLP_ENDPOINT: `http://127.0.0.1:${(collector.address() as AddressInfo).port}`,
    }),
    startServerProcess(telemetry),
    startServerProcess({ ...telemetry, CALLPASS_LIMITS_URL: flushed.url }),
    startServerProcess({ ...telemetry, ...WITH_CLOCK_TO_STEP }),
  ]);
  prometheus = await startPrometheus(
    servers.map(({ telemetry: address }) => address ?? ''),
    SHIPPED_INTERVALS,
  );
}, 120_000);
afterAll(async () => {
  await prometheus.stop();
  for (const server of servers) await server.stop();
  await redis.remove();
  await flushed.remove();
  await database.remove();
  await postgres.remove();
}, 60_000);

/** Pairs of an alert and the instance that it is about, in this state. */
async function alertsThatAre(state: 'pending' | 'firing'): Promise<readonly string[]> {
  const alerts = await prometheus.query(`ALERTS{alertstate="${state}"}`);
  return alerts.map(({ metric }) => `${metric['alertname']} ${metric['instance']}`);
}

// It takes most of a minute, since it is about a minute: the intervals are those that are shipped.
it('a hung PostgreSQL, a stopped and a flushed Redis, a stopped collector, a hung instance and a stepped clock are pending within 15 s and firing within 60 s', async () => {
  const [hangingStore, withoutLimiter, hung, , stepping] = servers;
  const expected = [
    `CallpassStoreUnavailable ${hangingStore?.telemetry}`,
    `CallpassNotReady ${hangingStore?.telemetry}`,
    `CallpassLimiterUnavailable ${withoutLimiter?.telemetry}`,
    `CallpassTelemetryLost ${withoutLimiter?.telemetry}`,
    `CallpassInstanceDown ${hung?.telemetry}`,
    // Of all instances together: their Redis is one.
    'CallpassLimitCountersLost undefined',
    `CallpassClockUntrusted ${stepping?.telemetry}`,
  ];
  while ((await prometheus.query('callpass_ready == 1')).length < servers.length) await pause(200);
  expect(await alertsThatAre('firing')).toEqual([]);

  postgres.freeze();
  hung?.child.kill('SIGSTOP');
  await redis.stop();
  collector.closeAllConnections();
  await new Promise((resolve) => collector.close(resolve));
  await flushed.ask('FLUSHALL');
  if (stepping) await stepClock(stepping);
  const start = performance.now();
  const seen = { pending: new Map<string, number>(), firing: new Map<string, number>() };
  const missing = () => expected.filter((alert) => !seen.firing.has(alert));
  while (missing().length > 0 && performance.now() - start < FIRING_WITHIN_MS) {
    for (const state of ['pending', 'firing'] as const)
      for (const alert of await alertsThatAre(state))
        if (!seen[state].has(alert)) seen[state].set(alert, performance.now() - start);
    await pause(200);
  }
  postgres.thaw();
  hung?.child.kill('SIGCONT');
  const times = expected.map((alert) => {
    const firing = seen.firing.get(alert);
    // One without a `for` is never pending.
    return [alert, seen.pending.get(alert) ?? firing, firing] as const;
  });
  for (const [alert, pending, firing] of times)
    process.stderr.write(
      `${alert}: pending after ${pending?.toFixed(0)} ms, firing after ${firing?.toFixed(0)} ms\n`,
    );
  expect(missing()).toEqual([]);
  for (const [, pending] of times) expect(pending).toBeLessThanOrEqual(PENDING_WITHIN_MS);
}, 120_000);

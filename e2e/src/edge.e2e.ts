import { randomUUID } from 'node:crypto';
import { createServer, type AddressInfo, type Server, type Socket, connect } from 'node:net';
import { AdminService, LedgerEntry_Kind, LedgerService } from '@callpass/contract';
import { connect as connectKit, createClient } from '@callpass/grpc-kit';
import { credentials } from '@grpc/grpc-js';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type { OtlpReceiver } from '@callpass/otlp-receiver';
import { keptReceiver } from './canary/kept.ts';
import { type EdgeProcess, ORIGIN, startEdgeProcess } from './edge-process.ts';
import { ended, startServerProcess, type ServerProcess } from './processes.ts';
import { provision } from './provision.ts';

const TRACE_ID = '4bf92f3577b34da6a3ce929d0e0e4736';
const ENTRIES = ['callpass.token.encrypt', 'callpass.ledger.commit'];

let server: ServerProcess;
let edge: EdgeProcess;
let receiver: OtlpReceiver;
const telemetry = () => ({
  OTEL_EXPORTER_OTLP_ENDPOINT: receiver.url,
  OTEL_EXPORTER_OTLP_PROTOCOL: 'http/json',
  OTEL_BSP_SCHEDULE_DELAY: '100',
});
beforeAll(async () => {
  receiver = await keptReceiver();
  server = await startServerProcess(telemetry());
  await provision(server.address);
  edge = await startEdgeProcess(server.address, telemetry());
}, 60_000);
afterAll(async () => {
  await edge.stop();
  await server.stop();
  await receiver.close();
});

const issue = (destination: string, headers: Record<string, string> = {}, url = edge.url) =>
  fetch(`${url}/v1/destinations/${destination}/credentials`, { method: 'POST', headers });

describe('the edge in front of a service', () => {
  it('leads one trace from the browser to the write of the ledger', async () => {
    const answer = await issue('d', { origin: ORIGIN, traceparent: `00-${TRACE_ID}-00f067aa0ba902b7-01` });
    expect(answer.status).toBe(200);
    const spans = await receiver.waitFor((all) => {
      const mine = all.spans().filter(({ traceId }) => traceId === TRACE_ID);
      const names = mine.map(({ name }) => name);
      return (
        ENTRIES.every((name) => names.includes(name)) &&
        names.some((name) => name.startsWith('POST ')) &&
        mine
      );
    }, 20_000);
    const inEdge = spans.find(({ name }) => name === 'POST /v1/destinations/:id/credentials');
    const [client, inServer] = ['CLIENT', 'SERVER'].map((kind) =>
      spans.find(
        (span) => span.kind === kind && span.name === 'callpass.v1.CredentialService/IssueCredentials',
      ),
    );
    expect(inEdge).toMatchObject({ kind: 'SERVER', parentSpanId: '00f067aa0ba902b7' });
    expect(client?.parentSpanId).toBe(inEdge?.spanId);
    expect(inServer?.parentSpanId).toBe(client?.spanId);
    const commit = spans.find(({ name }) => name === 'callpass.ledger.commit');
    expect(commit?.parentSpanId).toBe(inServer?.spanId);
  });

  it('serves the vendor’s own page, preflight included, as that page asks', async () => {
    const asks = { origin: ORIGIN, 'content-type': 'application/json', 'cache-control': 'no-cache' };
    const preflight = await fetch(`${edge.url}/actg/token?identifier=d`, {
      method: 'OPTIONS',
      headers: {
        origin: ORIGIN,
        'access-control-request-method': 'GET',
        'access-control-request-headers': 'cache-control,content-type',
      },
    });
    expect(preflight.status).toBe(204);
    expect(preflight.headers.get('access-control-allow-origin')).toBe(ORIGIN);
    for (const name of ['cache-control', 'content-type']) {
      expect(preflight.headers.get('access-control-allow-headers')).toContain(name);
    }
    for (const path of ['/actg/token?identifier=d', '/actg/token/?identifier=d']) {
      const answer = await fetch(`${edge.url}${path}`, { headers: asks });
      expect(answer.status).toBe(200);
      expect(Object.keys((await answer.json()) as object).sort()).toEqual(
        ['accountToken', 'fromToken', 'toToken', 'tokenRealm'].sort(),
      );
    }
    const parameters = await fetch(`${edge.url}/callparameters`, { headers: asks });
    expect(await parameters.json()).toMatchObject({
      realm: 'r',
      caller: 'a@x.example',
      callee: 'b@x.example',
    });
  });

  it('answers each of many that come at once for itself', async () => {
    const answers = await Promise.all(
      Array.from({ length: 60 }, async (_, at) => {
        const answer = await issue(at % 3 === 0 ? 'nobody' : 'd', {
          traceparent: `00-${TRACE_ID}-00f067aa0ba902b7-00`,
        });
        return { status: answer.status, id: ((await answer.json()) as { issuanceId?: string }).issuanceId };
      }),
    );
    const issued = answers.filter(({ status }) => status === 200);
    expect(issued).toHaveLength(40);
    expect(new Set(issued.map(({ id }) => id)).size).toBe(40);
    expect(answers.filter(({ status }) => status === 403)).toHaveLength(20);
  });

  it('gives no credentials again for a repeated Idempotency-Key once they are frozen, in any form of the key', async () => {
    const connection = connectKit({ address: server.address, credentials: credentials.createInsecure() });
    const admin = createClient(AdminService, connection);
    const key = randomUUID();
    const keys = [key, key.toUpperCase(), `"${key}"`];
    const repeat = (sent: string) => issue('d', { 'idempotency-key': sent });
    const idOf = async (answer: Response) => ((await answer.json()) as { issuanceId?: string }).issuanceId;
    const first = await idOf(await repeat(key));
    const scope = { scope: { case: 'destination', value: 'd' } } as const;
    await admin.freeze({ scope, reason: 'test' });
    for (const sent of keys) {
      const answer = await repeat(sent);
      const body = (await answer.json()) as object;
      expect([answer.status, body]).toEqual([403, expect.objectContaining({ reason: 'FROZEN' })]);
      expect(body).not.toHaveProperty('credentials');
    }
    await admin.unfreeze({ scope });
    for (const sent of keys) expect(await idOf(await repeat(sent))).toBe(first);
    connection.close();
  });

  it('keeps the ledger short: 300 requests of one browser that are refused alike leave ten entries in a minute', async () => {
    const connection = connectKit({ address: server.address, credentials: credentials.createInsecure() });
    const ledger = createClient(LedgerService, connection);
    const rows = async () => {
      const { entries } = await ledger.listEntries({ kind: LedgerEntry_Kind.REFUSED, pageSize: 1000 });
      return entries.length;
    };
    const before = await rows();
    for (let round = 0; round < 10; round++)
      await Promise.all(Array.from({ length: 30 }, () => issue('refused-for-ever')));
    // Twice ten, should a minute end within.
    expect((await rows()) - before).toBeLessThanOrEqual(21);
    connection.close();
  });

  it('writes no token, cookie, query or body, in the log or in telemetry', async () => {
    const answer = await issue('d', { cookie: 'canary-cookie=1', 'callpass-human-check': 'canary-proof' });
    const { credentials } = (await answer.json()) as { credentials: Record<string, string> };
    await fetch(`${edge.url}/callparameters?canary-query=1`);
    await fetch(`${edge.url}/canary-path?identifier=canary-query`);
    await issue('d', { 'content-type': 'canary/type' });
    const seen = receiver.raw().length;
    await issue('d', { traceparent: `00-${'5'.repeat(32)}-00f067aa0ba902b7-01` });
    await receiver.waitFor(
      (all) => all.spans().some(({ traceId }) => traceId === '5'.repeat(32)) && receiver.raw().length > seen,
      20_000,
    );
    const emitted = [edge.output(), server.output(), ...receiver.raw()].join('\n').toLowerCase();
    const secrets = [credentials['accountToken'], credentials['fromToken'], credentials['toToken'], 'canary'];
    for (const secret of secrets) {
      expect(secret).toBeTruthy();
      expect(emitted).not.toContain(String(secret).toLowerCase());
    }
  });
});

it('10,000 connections that say nothing, and others are still served', async () => {
  const crowded = await startEdgeProcess(server.address, {
    CALLPASS_EDGE_REQUESTS_HEADERS_TIMEOUT: '20s',
  });
  const sockets: Socket[] = [];
  try {
    const port = Number(new URL(crowded.url).port);
    for (let opened = 0; opened < 10_000; opened += 500) {
      await Promise.all(
        Array.from({ length: 500 }, () => {
          const socket = connect(port, '127.0.0.1');
          sockets.push(socket);
          return new Promise<void>((resolve, reject) => {
            socket.once('connect', resolve);
            socket.once('error', reject);
          });
        }),
      );
    }
    for (const socket of sockets) socket.on('error', () => undefined);
    expect((await issue('d', {}, crowded.url)).status).toBe(200);
    expect(crowded.child.exitCode).toBeNull();
  } finally {
    for (const socket of sockets) socket.destroy();
    await crowded.stop();
  }
}, 120_000);

it('is scraped by Prometheus where the standard variables ask for it, and ends without it where the port is taken', async () => {
  const variables = { OTEL_METRICS_EXPORTER: 'prometheus', OTEL_EXPORTER_PROMETHEUS_PORT: '0' };
  const scraped = await startEdgeProcess(server.address, {
    ...variables,
    CALLPASS_EDGE_LOG_LEVEL: 'info',
  });
  try {
    expect((await issue('d', {}, scraped.url)).status).toBe(200);
    const port = /"address":"(127\.0\.0\.1:\d+)","msg":"serving telemetry"/.exec(scraped.output())?.[1];
    const metrics = await (await fetch(`http://${port}/metrics`)).text();
    expect(metrics).toMatch(
      /http_server_request_duration_seconds_count\{[^}]*http_route="\/v1\/destinations\/:id\/credentials"/,
    );
    const taken = { ...variables, OTEL_EXPORTER_PROMETHEUS_PORT: String(port?.split(':')[1]) };
    await expect(startEdgeProcess(server.address, taken)).rejects.toThrow(
      /cannot listen on .*: the address is in use/,
    );
  } finally {
    await scraped.stop();
  }
}, 60_000);

it('a service that is stopped is a problem within a second, and one that is back is found by itself', async () => {
  const port = await freePort();
  const address = `127.0.0.1:${port}`;
  const keys = { CALLPASS_LISTEN_ADDRESS: address };
  const other = await startEdgeProcess(address);
  const first = await startServerProcess(keys);
  await provision(address);
  expect(await statusSoon(other.url, 200)).toBe(200);
  await first.stop();
  const startMs = performance.now();
  const answer = await issue('d', {}, other.url);
  expect(performance.now() - startMs).toBeLessThan(1000);
  expect([answer.status, ((await answer.json()) as { reason: string }).reason]).toEqual([
    503,
    'SERVICE_UNREACHABLE',
  ]);
  const second = await startServerProcess(keys);
  await provision(address);
  expect(await statusSoon(other.url, 200)).toBe(200);
  await second.stop();
  await other.stop();
}, 120_000);

it('SIGTERM under load: what was accepted is answered, the process ends, and the service goes on', async () => {
  const other = await startEdgeProcess(server.address, { CALLPASS_EDGE_LIMITS_PER_ADDRESS: '1000000' });
  const seen = new Set<number>();
  let answered = 0;
  const loaded = Promise.withResolvers<void>();
  let going = true;
  const workers = Array.from({ length: 8 }, async () => {
    while (going) {
      // A connection that is refused, once the port is closed, was not accepted.
      const answer = await issue('d', {}, other.url).catch(() => undefined);
      if (answer === undefined) return;
      seen.add(answer.status);
      await answer.json();
      if (++answered === 100) loaded.resolve();
    }
  });
  await loaded.promise;
  other.child.kill('SIGTERM');
  expect(await ended(other.child)).toEqual({ code: 0, signal: null });
  going = false;
  await Promise.all(workers);
  expect([...seen]).toEqual([200]);
  expect((await issue('d')).status).toBe(200);
}, 120_000);

/** Asks until it is answered so, or for half a minute. */
async function statusSoon(url: string, wanted: number): Promise<number> {
  const untilMs = performance.now() + 30_000;
  for (;;) {
    const { status } = await issue('d', {}, url);
    if (status === wanted || performance.now() > untilMs) return status;
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
}

async function freePort(): Promise<number> {
  const probe: Server = createServer();
  await new Promise<void>((resolve) => probe.listen(0, '127.0.0.1', resolve));
  const { port } = probe.address() as AddressInfo;
  await new Promise((resolve) => probe.close(resolve));
  return port;
}

import { X509Certificate } from 'node:crypto';
import { mkdtempSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { connect as connectHttp2 } from 'node:http2';
import { Agent, request } from 'node:https';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { connect as connectTls } from 'node:tls';
import {
  createAdminClient,
  createCredentialClient,
  createLedgerClient,
  type AdminClient,
  type ConnectOptions,
} from '@callpass/client';
import { Cipher, Role } from '@callpass/contract';
import { createAuthority, type Authority, type LeafOptions } from '@callpass/dev-certificates';
import { afterEach, beforeEach, expect, it } from '@jest/globals';
import { startEdgeProcess, type EdgeProcess } from './edge-process.ts';
import { startEndlessCommand, type EndlessCommand } from './endless-command.ts';
import { startServerProcess, type ServerProcess } from './processes.ts';

/** Validity of the certificates that are renewed. */
const VALID_MS = 25_000;
const CALLS_PER_SECOND = 100;

let folder: string;
let authority: Authority;
let server: ServerProcess;
let edge: EdgeProcess;
let operator: ConnectOptions;
let admin: AdminClient;
const closing: (() => unknown)[] = [];

const file = (name: string) => join(folder, name);
const LEAVES: Readonly<Record<string, LeafOptions>> = {
  server: { names: ['localhost', '127.0.0.1'], use: 'server' },
  page: { names: ['localhost', '127.0.0.1'], use: 'server' },
  edge: { commonName: 'edge', use: 'client' },
  client: { commonName: 'client', use: 'client' },
  idle: { commonName: 'client', use: 'client' },
  watcher: { commonName: 'watcher', use: 'client' },
};

/** Puts a certificate and its key in their files, each at once, and gives its serial number. */
async function certify(name: string, notAfter?: Date): Promise<string> {
  const leaf = LEAVES[name] as LeafOptions;
  const pair = await authority.issue({ ...leaf, ...(notAfter && { notAfter }) });
  for (const [suffix, content] of [
    ['crt', pair.cert],
    ['key', pair.key],
  ] as const) {
    writeFileSync(file(`${name}.new`), content, { mode: 0o600 });
    renameSync(file(`${name}.new`), file(`${name}.${suffix}`));
  }
  return new X509Certificate(pair.cert).serialNumber;
}

const tlsOf = (name: string) => ({
  caFile: file('ca.crt'),
  certFile: file(`${name}.crt`),
  keyFile: file(`${name}.key`),
});

const clientOf = (name: string): ConnectOptions => ({
  address: server.address,
  tls: tlsOf(name),
  retry: false,
  channelOptions: { 'grpc.use_local_subchannel_pool': 1 },
});

interface Entry {
  readonly sequence: string;
  readonly issuanceId: string;
}

interface Look {
  readonly service: { readonly health: object; readonly state: object };
}

/** Runs a command of an operator without an end, with a certificate that is renewed. */
function watch<T>(...args: string[]): EndlessCommand<T> {
  const { caFile, certFile, keyFile } = tlsOf('watcher');
  const command = startEndlessCommand<T>(args, {
    CALLPASS_ADDRESS: server.address,
    CALLPASS_CA: caFile,
    CALLPASS_CERT: certFile,
    CALLPASS_KEY: keyFile,
  });
  closing.push(() => command.interrupt());
  return command;
}

interface Granted {
  readonly edge: readonly string[] | 'removed';
}

/** Applies the configuration in which the edge's client has these destinations. */
async function configure({ edge: granted }: Granted): Promise<void> {
  const client = (name: string, destinations: readonly string[], ...roles: Role[]) => ({
    name,
    identities: [{ kind: { case: 'commonName' as const, value: name } }],
    grants: [
      ...(destinations.length === 0 ? [] : [{ role: Role.ISSUER, destinations: [...destinations] }]),
      ...roles.map((role) => ({ role })),
    ],
  });
  const { revision } = await admin.getConfiguration({});
  await admin.applyConfiguration({
    expectedRevision: revision?.revision ?? 0,
    configuration: {
      realms: [{ name: 'r', cipher: Cipher.AES_128_ECB, tokenLifetime: { seconds: 60n } }],
      destinations: [{ id: 'd', realm: 'r', account: 'a@x.example', callees: ['b@x.example'] }],
      clients: [
        client('client', ['d']),
        client('watcher', [], Role.AUDITOR, Role.OPERATOR),
        ...(granted === 'removed' ? [] : [client('edge', granted)]),
      ],
    },
  });
}

let notAfter: Date;
beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'callpass-e2e-edge-'));
  authority = await createAuthority();
  writeFileSync(file('ca.crt'), authority.cert);
  const pair = await authority.issue({ commonName: 'operator', use: 'client' });
  await certify('server');
  server = await startServerProcess({
    CALLPASS_ACCESS_LOCAL: 'none',
    CALLPASS_ACCESS_OPERATORS: '[{ name: operator, commonName: operator }]',
    CALLPASS_TLS_CERT_FILE: file('server.crt'),
    CALLPASS_TLS_KEY_FILE: file('server.key'),
    CALLPASS_TLS_CLIENT_CA_FILE: file('ca.crt'),
  });
  closing.push(() => server.stop());
  operator = { address: server.address, tls: { ca: authority.cert, ...pair } };
  admin = createAdminClient(operator);
  closing.push(() => admin.close());
  await configure({ edge: ['d'] });
  await admin.addRealmKey({ realm: 'r' });
  await admin.activateRealmKey({ realm: 'r', version: 1 });

  notAfter = new Date(Date.now() + VALID_MS);
  await Promise.all(['edge', 'page', 'client', 'idle', 'watcher'].map((name) => certify(name, notAfter)));
  edge = await startEdgeProcess(server.address, {
    CALLPASS_EDGE_SERVICE_CA_FILE: file('ca.crt'),
    CALLPASS_EDGE_SERVICE_CERT_FILE: file('edge.crt'),
    CALLPASS_EDGE_SERVICE_KEY_FILE: file('edge.key'),
    CALLPASS_EDGE_LISTEN_CERT_FILE: file('page.crt'),
    CALLPASS_EDGE_LISTEN_KEY_FILE: file('page.key'),
    OTEL_METRICS_EXPORTER: 'prometheus',
    OTEL_EXPORTER_PROMETHEUS_PORT: '0',
  });
  closing.push(() => edge.stop());
});
afterEach(async () => {
  for (const close of closing.splice(0).reverse()) await close();
  rmSync(folder, { recursive: true, force: true });
});

/** Asks the edge over HTTPS. */
function ask(path: string, method: string, agent?: Agent): Promise<{ status: number; body: string }> {
  return new Promise((resolve, reject) => {
    const asked = request(`${edge.url}${path}`, { method, agent, ca: authority.cert }, (answer) => {
      let body = '';
      answer.setEncoding('utf8').on('data', (chunk: string) => (body += chunk));
      answer.on('end', () => resolve({ status: answer.statusCode ?? 0, body }));
    });
    asked.on('error', reject).end();
  });
}

it('the edge is ready while it may issue and no longer, says why not, and no probe is in the ledger', async () => {
  const ledger = createLedgerClient(operator);
  closing.push(() => ledger.close());
  const readiness = async () => {
    const { status, body } = await ask('/readyz', 'GET');
    return `${status} ${(JSON.parse(body) as { reason?: string }).reason ?? 'ready'}`;
  };
  /** The edge asks once a second, and another instance may have a change two seconds later. */
  const becomes = async (expected: string) => {
    const startMs = performance.now();
    let seen = await readiness();
    for (; seen !== expected && performance.now() - startMs < 5000; seen = await readiness()) await pause(50);
    expect(seen).toBe(expected);
  };
  await becomes('200 ready');
  await configure({ edge: [] });
  await becomes('503 CLIENT_NOT_GRANTED');
  await configure({ edge: 'removed' });
  await becomes('503 CLIENT_UNKNOWN');
  await configure({ edge: ['d'] });
  await becomes('200 ready');
  await admin.freeze({ scope: { scope: { case: 'client', value: 'edge' } }, reason: 'test' });
  await becomes('503 FROZEN');
  const { entries } = await ledger.listEntries({ pageSize: 1000 });
  expect(entries.filter(({ client, reason }) => client === 'edge' || reason === 'CLIENT_UNKNOWN')).toEqual(
    [],
  );
});

/** Time that the edge's metric gives its HTTPS certificate, in s. */
async function pageExpiry(): Promise<number> {
  const [, telemetry] = /"address":"([^"]+)","msg":"serving telemetry"/.exec(edge.output()) ?? [];
  const scraped = await (await fetch(`http://${telemetry}/metrics`)).text();
  const sample = /^callpass_certificate_expiry_seconds\{.*callpass_certificate="edge".*\} (\S+)/m;
  return Number(sample.exec(scraped)?.[1]);
}

/** Calls something so often, on time also where one was late, until it is stopped. */
function callSteadily(perSecond: number, call: () => Promise<unknown>) {
  const startMs = performance.now();
  const failed: string[] = [];
  const calls: Promise<unknown>[] = [];
  const timer = setInterval(() => {
    const due = ((performance.now() - startMs) / 1000) * perSecond;
    while (calls.length < due) calls.push(call().catch((error: unknown) => failed.push(String(error))));
  }, 10);
  return async () => {
    clearInterval(timer);
    const seconds = (performance.now() - startMs) / 1000;
    await Promise.all(calls);
    return { failed, perSecond: calls.length / seconds };
  };
}

/** Serial number of the certificate that a new connection gets. */
function servedSerial(address: string): Promise<string | undefined> {
  const [host = '', port] = address.split(':');
  const options = { host, port: Number(port), servername: 'localhost', rejectUnauthorized: false };
  return new Promise((resolve, reject) => {
    const socket = connectTls({ ...options, ALPNProtocols: ['h2', 'http/1.1'] }, () => {
      resolve(socket.getPeerX509Certificate()?.serialNumber);
      socket.destroy();
    });
    socket.once('error', reject);
  });
}

it('certificates of a client, the edge, the server and the command line are renewed under 100 calls a second: no call fails, and a tail neither loses nor repeats an entry', async () => {
  const client = createCredentialClient(clientOf('client'));
  // Makes no call that would have it look at its files, so only the server's GOAWAY makes it dial anew.
  const idle = createCredentialClient(clientOf('idle'));
  const agent = new Agent({ keepAlive: true, ca: authority.cert });
  closing.push(
    () => client.close(),
    () => idle.close(),
    () => agent.destroy(),
  );
  await idle.issueCredentials({ destination: 'd' });
  const old = await authority.issue({ ...(LEAVES['client'] as LeafOptions), notAfter });
  const watched = connectHttp2(`https://${server.address}`, { ca: authority.cert, ...old });
  closing.push(() => watched.destroy());
  const goAway = new Promise<string>((resolve) => {
    watched.once('goaway', (_code, _last, why) => resolve(String(why)));
  });

  const tail = watch<Entry>('ledger', 'tail');
  const top = watch<Look>('top', '--interval', '100ms');
  await top.until((looks) => looks.length > 0);
  // It begins with what is written after its call has arrived.
  await Promise.all([
    tail.until((entries) => entries.length > 0),
    (async () => {
      while (tail.written().length === 0) {
        await client.issueCredentials({ destination: 'd' });
        await pause(50);
      }
    })(),
  ]);

  const half = CALLS_PER_SECOND / 2;
  const stops = [
    callSteadily(half, () => client.issueCredentials({ destination: 'd' }, { timeoutMs: 10_000 })),
    callSteadily(half, async () => {
      const { status, body } = await ask('/v1/destinations/d/credentials', 'POST', agent);
      if (status !== 200) throw new Error(`${status} ${body}`);
    }),
  ];
  await pause(1500);
  const expiry = await pageExpiry();
  expect(expiry).toBeGreaterThan(0);
  expect(expiry).toBeLessThan(VALID_MS / 1000);
  const serials: Record<string, string> = {};
  for (const name of Object.keys(LEAVES)) serials[name] = await certify(name);
  expect(await goAway).toBe('certificate_ends');
  await pause(Math.max(0, notAfter.getTime() + 300 - Date.now()));
  await idle.issueCredentials({ destination: 'd' });
  for (const stop of stops) {
    const { failed, perSecond } = await stop();
    expect(failed).toEqual([]);
    expect(perSecond).toBeGreaterThan(0.9 * half);
  }
  expect(await servedSerial(server.address)).toBe(serials['server']);
  expect(await servedSerial(new URL(edge.url).host)).toBe(serials['page']);
  expect(await pageExpiry()).toBeGreaterThan(VALID_MS / 1000);

  const { issuanceId: last } = await client.issueCredentials({ destination: 'd' });
  await tail.until((entries) => entries.at(-1)?.issuanceId === last);
  const sequences = tail.written().map(({ sequence }) => Number(sequence));
  expect(sequences).toEqual(sequences.map((_, index) => (sequences[0] ?? 0) + index));
  const tailed = await tail.interrupt();
  expect(tailed).toMatchObject({ code: 0, stderr: expect.stringContaining('going on') });
  const looks = top.written().length;
  await top.until(({ length }) => length > looks + 2);
  const faults = top.written().flatMap(({ service: { health, state } }) => [health, state]);
  expect(faults.filter((each) => 'fault' in each)).toEqual([]);
  expect(await top.interrupt()).toMatchObject({ code: 0, stderr: '' });
});

import { randomBytes } from 'node:crypto';
import { writeFileSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { connect, createClient } from '@callpass/grpc-kit';
import type { OtlpReceiver } from '@callpass/otlp-receiver';
import { Authorization } from '@callpass/rpc-protos/gen/envoy/service/auth/v3/external_auth_pb.js';
import { startRequest } from '@callpass/testkit/manipulated-requests';
import { credentials } from '@grpc/grpc-js';
import { plant, type Canary } from './canary/keep.ts';
import { keptReceiver } from './canary/kept.ts';
import { createScan } from './canary/scan.ts';
import { run, startServerProcess, type Outcome, type ServerProcess } from './processes.ts';

/** Planted where secrets go. Random, so that a hit cannot be a coincidence; the subject is what a visitor is called. */
const CANARY = {
  key: randomBytes(8).toString('hex'),
  subject: `visitor-${randomBytes(8).toString('hex')}`,
  token: randomBytes(32).toString('hex').toUpperCase(),
  callee: `canary-${randomBytes(6).toString('hex')}`,
  sealKey: randomBytes(32).toString('base64'),
};

const DOCUMENT = `
realms: [{ name: r.example, cipher: AES_128_ECB, tokenLifetime: 600s }]
destinations:
  - { id: d, realm: r.example, account: a@x.example, callees: [b@x.example] }
  - { id: one, realm: r.example, account: a@x.example, callees: [b@x.example], limits: [{ per: SUBJECT, max: 1, window: 60s }] }
`;

let receiver: OtlpReceiver;
let server: ServerProcess;
let folder: string;
const printed: string[] = [];
const issuedTokens: string[] = [];

const telemetry = () => ({
  OTEL_EXPORTER_OTLP_ENDPOINT: receiver.url,
  OTEL_EXPORTER_OTLP_PROTOCOL: 'http/json',
  OTEL_METRIC_EXPORT_INTERVAL: '300',
  OTEL_METRIC_EXPORT_TIMEOUT: '200',
  OTEL_BSP_SCHEDULE_DELAY: '100',
});

async function callpass(...args: string[]): Promise<Outcome> {
  const outcome = await run('npx', ['callpass', ...args, '--address', server.address], { env: telemetry() });
  printed.push(outcome.stderr);
  return outcome;
}

beforeAll(async () => {
  // The ledger may name a callee, and is part of what the whole run is searched in.
  const { callee: _named, ...secret } = CANARY;
  for (const [what, value] of Object.entries(secret)) plant(what, value);
  folder = mkdtempSync(join(tmpdir(), 'callpass-e2e-'));
  receiver = await keptReceiver();
  server = await startServerProcess({
    ...telemetry(),
    CALLPASS_LOG_LEVEL: 'debug',
    CALLPASS_LOG_REQUESTS: 'all',
    CALLPASS_TELEMETRY_ADDRESS: '127.0.0.1:0',
    CALLPASS_AUTHORIZE_ENABLED: 'true',
    CALLPASS_KEY_ENCRYPTION_KEY: CANARY.sealKey,
  });
  writeFileSync(join(folder, 'callpass.yaml'), DOCUMENT);
  writeFileSync(join(folder, 'key'), CANARY.key);
  expect(await callpass('config', 'apply', '-f', join(folder, 'callpass.yaml'))).toMatchObject({ code: 0 });
  expect(await callpass('key', 'add', 'r.example', '--key-file', join(folder, 'key'))).toMatchObject({
    code: 0,
  });
  expect(await callpass('key', 'activate', 'r.example', '1')).toMatchObject({ code: 0 });
});
afterAll(async () => {
  await server.stop();
  await receiver.close();
  rmSync(folder, { recursive: true });
});

describe('a trace', () => {
  it('leads from the command line through the server to the ledger, and arrives at the receiver', async () => {
    receiver.clear();
    const { code, stdout } = await callpass('issue', 'd', '--subject', CANARY.subject, '--output', 'json');
    expect(code).toBe(0);
    const answer = JSON.parse(stdout) as { timeLimited: Record<string, string> };
    issuedTokens.push(...Object.values(answer.timeLimited).filter((text) => /^[0-9A-F]{32,}$/.test(text)));
    const { client, inServer, spans } = await receiver.waitFor((all) => {
      const found = all.spans();
      const [client, inServer] = ['CLIENT', 'SERVER'].map((kind) =>
        found.find(
          (span) => span.kind === kind && span.name === 'callpass.v1.CredentialService/IssueCredentials',
        ),
      );
      const encrypt = found.some(
        ({ name, traceId }) => name === 'callpass.token.encrypt' && traceId === client?.traceId,
      );
      return client && inServer && encrypt && { client, inServer, spans: found };
    }, 10_000);
    expect(inServer.traceId).toBe(client.traceId);
    expect(inServer.parentSpanId).toBe(client.spanId);
    expect(inServer.attributes).toMatchObject({
      'callpass.destination': 'd',
      'callpass.decision': 'issued',
      'rpc.status_code': 'OK',
    });
    const children = spans
      .filter(({ parentSpanId }) => parentSpanId === inServer.spanId)
      .map(({ name }) => name);
    expect(children).toEqual(expect.arrayContaining(['callpass.token.encrypt', 'callpass.ledger.commit']));
  });

  it('comes with the durations of calls, on both sides', async () => {
    const names = await receiver.waitFor((all) => {
      const found = all.metrics().map(({ name }) => name);
      return (
        ['rpc.server.call.duration', 'rpc.client.call.duration'].every((name) => found.includes(name)) &&
        found
      );
    }, 10_000);
    expect(names).toContain('rpc.server.call.duration');
  });
});

/** Asks about the start of a call as Envoy does, and gives the cause of the refusal. */
async function askAsEnvoy([accountToken = '', fromToken = '', toToken = '']: readonly string[]) {
  const { method, path, headers, body } = startRequest({
    ...{ accountToken, fromToken, toToken, realm: 'r.example' },
  });
  const connection = connect({ address: server.address, credentials: credentials.createInsecure() });
  const http = { method, path, headers, rawBody: Buffer.from(body) };
  const { status } = await createClient(Authorization, connection).check({
    attributes: { request: { http } },
  });
  connection.close();
  return status?.message;
}

it('nothing that is emitted holds a key, a token or a subject', async () => {
  await callpass('validate', CANARY.token, '--realm', 'r.example');
  await callpass('explain', CANARY.token, '--realm', 'r.example');
  await callpass('issue', 'd', '--callee', `${CANARY.callee};@x.example`);
  await callpass('issue', 'd', '--callee', `${CANARY.callee}@elsewhere.example`);
  await callpass('issue', 'one', '--subject', CANARY.subject);
  await callpass('issue', 'one', '--subject', CANARY.subject);
  await callpass('freeze', 'subject', CANARY.subject, '--reason', 'test');
  await callpass('issue', 'd', '--subject', CANARY.subject);
  await callpass('validate', issuedTokens[0] ?? '', '--realm', 'r.example', '--require-issued-here');
  expect(await askAsEnvoy(issuedTokens)).toBe('FROZEN');
  expect(await askAsEnvoy([CANARY.token, ...issuedTokens])).toBe('UNDECIPHERABLE');
  await callpass('freezes');
  await receiver.waitFor(
    (all) => all.spans().some(({ name, kind }) => kind === 'SERVER' && name.endsWith('/ListFreezes')),
    10_000,
  );
  const envoys = receiver.spans().filter(({ name }) => name === `${Authorization.typeName}/Check`);
  expect(envoys.map(({ attributes }) => attributes['callpass.reason'])).toEqual(['FROZEN', 'UNDECIPHERABLE']);
  expect(receiver.dropped()).toBe(0);
  const scraped = await fetch(`http://${server.telemetry}/metrics`).then((response) => response.text());
  expect(scraped).toContain('callpass_issue_decisions_total');
  const telemetry = receiver.raw().join('\n');
  for (const method of ['ListFreezes', 'envoy.service.auth.v3.Authorization/Check'])
    expect(telemetry).toContain(method);
  // Lines of all requests are written in bunches, the last ones at the end of the process.
  await server.stop();
  expect(server.output()).toContain('"msg":"request"');
  expect(issuedTokens).toHaveLength(3);
  const planted: Canary[] = [
    ...Object.entries(CANARY).map(([what, value]) => ({ what, value })),
    ...issuedTokens.map((value, index) => ({ what: `issued token ${index}`, value })),
  ];
  const emitted = { telemetry, scraped, log: server.output(), 'error texts': printed.join('\n') };
  const scan = createScan(planted);
  const found = Object.entries(emitted).flatMap(([place, text]) =>
    scan({ place, content: Buffer.from(text) }),
  );
  expect(found).toEqual([]);
});

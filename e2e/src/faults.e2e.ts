import { createHash } from 'node:crypto';
import { setTimeout as pause } from 'node:timers/promises';
import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import type { OtlpReceiver, ReceivedSpan } from '@callpass/otlp-receiver';
import { keptReceiver } from './canary/kept.ts';
import { run } from './processes.ts';
import { stepClock, WITH_CLOCK_TO_STEP } from './stepped-clock.ts';
import { LATE, startTlsParties, type TlsParties } from './tls-parties.ts';
import {
  durationMs,
  holdStore,
  startTracedService,
  traceOfCall,
  type TracedCall,
  type TracedService,
} from './traced-service.ts';

/**
 * Prepared faults: of each the trace of one request alone, as it arrives at a receiver, names the cause. What stands in the
 * answer is not looked at.
 */
const TOKEN = 'a-token-of-a-client-that-was-granted-nothing';
const TODAY = new Date().toISOString().slice(0, 10);
const DOCUMENT = `
realms:
  - { name: r.example, cipher: AES_128_ECB, tokenLifetime: 600s }
  - { name: keyless.example, cipher: AES_128_ECB, tokenLifetime: 600s }
destinations:
  - { id: open, realm: r.example, account: a@x.example, callees: [b@x.example] }
  - { id: icy, realm: r.example, account: a@x.example, callees: [b@x.example] }
  - { id: keyless, realm: keyless.example, account: a@x.example, callees: [b@x.example] }
  - id: closed
    realm: r.example
    account: a@x.example
    callees: [b@x.example]
    hours: { timeZone: UTC, open: ["Mon-Sun 00:00-24:00"], closedDates: ["${TODAY}"] }
  - { id: once, realm: r.example, account: a@x.example, callees: [b@x.example], limits: [{ per: DESTINATION, max: 1, window: 600s }] }
clients:
  - { name: stranger, identities: [{ tokenSha256: ${createHash('sha256').update(TOKEN).digest('hex')} }] }
`;

const LIMIT_MS = 60_000;

let receiver: OtlpReceiver;
const running: TracedService[] = [];

async function start(environment: NodeJS.ProcessEnv = {}): Promise<TracedService> {
  const service = await startTracedService(receiver, environment);
  running.push(service);
  const { address } = service.server;
  const applied = await run('npx', ['callpass', 'config', 'apply', '-f', '-', '--address', address], {
    input: DOCUMENT,
  });
  expect(applied).toMatchObject({ code: 0 });
  await service.admin.addRealmKey({ realm: 'r.example' });
  await service.admin.activateRealmKey({ realm: 'r.example', version: 1 });
  return service;
}

const traceOf = (call: TracedCall, token?: string) => traceOfCall(receiver, call, token);

let service: TracedService;
beforeAll(async () => {
  receiver = await keptReceiver();
  service = await start();
}, LIMIT_MS);
afterAll(async () => {
  for (const each of running) await each.stop();
  await receiver.close();
}, LIMIT_MS);

describe('the trace of one request alone names', () => {
  it('nothing wrong where nothing is: every step, and the commit it shared', async () => {
    const { root, steps } = await traceOf((o) =>
      service.credentials.issueCredentials({ destination: 'open' }, o),
    );
    expect(root.attributes).toMatchObject({
      'callpass.decision': 'issued',
      'callpass.destination': 'open',
      'callpass.realm': 'r.example',
      'callpass.client': 'local',
      'callpass.key_version': 1,
      'callpass.configuration_revision': 1,
    });
    expect([...steps.keys()]).toEqual(
      expect.arrayContaining([
        'callpass.client.authenticate',
        'callpass.request.authorize',
        'callpass.issue.moderate',
        'callpass.token.encrypt',
        'callpass.ledger.commit',
        'callpass.ledger.group_commit',
      ]),
    );
    const group = steps.get('callpass.ledger.group_commit');
    expect(steps.get('callpass.ledger.commit')?.links.map(({ spanId }) => spanId)).toEqual([group?.spanId]);
  });

  it.each([
    ['a realm without a key', 'keyless', 'KEY_NOT_ACTIVE', 'realm', 'callpass.issue.moderate'],
    ['closed hours', 'closed', 'DESTINATION_CLOSED', 'hours', 'callpass.issue.moderate'],
  ])('%s', async (_what, destination, reason, rule, step) => {
    const { root, steps } = await traceOf((o) => service.credentials.issueCredentials({ destination }, o));
    expectRefused(root, reason, destination);
    expect(steps.get(step)?.attributes).toMatchObject({
      'callpass.reason': reason,
      'callpass.rule': expect.stringContaining(rule),
    });
    expect(steps.get(step)?.status.code).toBe('UNSET');
  });

  it('the limit that was reached', async () => {
    await service.credentials.issueCredentials({ destination: 'once' });
    const { root, steps } = await traceOf((o) =>
      service.credentials.issueCredentials({ destination: 'once' }, o),
    );
    expectRefused(root, 'LIMIT_EXCEEDED', 'once');
    expect(root.attributes['callpass.rule']).toBe('limits[0] per DESTINATION');
    expect(steps.get('callpass.limit.take')?.attributes).toMatchObject({
      'callpass.reason': 'LIMIT_EXCEEDED',
      'callpass.limit.headroom': 0,
    });
  });

  it('each refused item of a batch, apart from those that were granted', async () => {
    const { root, steps, spans } = await traceOf((o) =>
      service.credentials.batchIssueCredentials(
        { requests: [{ destination: 'open' }, { destination: 'closed' }] },
        o,
      ),
    );
    expect(root.attributes['callpass.reason']).toBeUndefined();
    const items = spans.filter(({ name }) => name === 'callpass.batch.item');
    expect(items.map(({ attributes }) => attributes['callpass.reason'])).toEqual(
      expect.arrayContaining([undefined, 'DESTINATION_CLOSED']),
    );
    expect(items.map(({ attributes }) => attributes['callpass.destination'])).toEqual(
      expect.arrayContaining(['open', 'closed']),
    );
    expect(items.map(({ spanId }) => spanId)).toContain(steps.get('callpass.token.encrypt')?.parentSpanId);
  });

  it('a client that was not granted what it asks for', async () => {
    const { root } = await traceOf(
      (o) => service.credentials.issueCredentials({ destination: 'open' }, o),
      TOKEN,
    );
    expect(root.status.code).toBe('UNSET');
    expect(root.attributes).toMatchObject({
      'callpass.client': 'stranger',
      'callpass.reason': 'CLIENT_NOT_GRANTED',
      'callpass.rule': 'role ISSUER',
    });
  });

  it('a freeze', async () => {
    await service.admin.freeze({ scope: { scope: { case: 'destination', value: 'icy' } }, reason: 'test' });
    const { root } = await traceOf((o) => service.credentials.issueCredentials({ destination: 'icy' }, o));
    expectRefused(root, 'FROZEN', 'icy');
    expect(root.attributes['callpass.rule']).toBe('freeze DESTINATION');
  });

  it('the place of a mistake in a configuration', async () => {
    const { configuration } = await service.admin.getConfiguration({});
    const [first] = configuration?.destinations ?? [];
    if (first) first.realm = 'nowhere.example';
    const { root } = await traceOf((o) =>
      service.admin.applyConfiguration({ configuration, expectedRevision: 1 }, o),
    );
    expect(root.status.code).toBe('UNSET');
    expect(root.attributes).toMatchObject({
      'callpass.reason': 'REQUEST_INVALID',
      'callpass.problem.path': 'configuration.destinations[0].realm',
    });
  });

  it('a ledger that is slow', async () => {
    const release = holdStore(service);
    setTimeout(release, 1000);
    const { root, steps } = await traceOf((o) =>
      service.credentials.issueCredentials({ destination: 'open' }, o),
    );
    expect(root.attributes['callpass.decision']).toBe('issued');
    const group = steps.get('callpass.ledger.group_commit');
    const slow = group ? durationMs(group) : 0;
    expect(slow).toBeGreaterThan(500);
    expect(slow).toBeGreaterThan(durationMs(root) / 2);
  });

  it('a store that is gone', async () => {
    const release = holdStore(service);
    const { root, steps } = await traceOf((o) =>
      service.credentials.issueCredentials({ destination: 'open' }, o),
    );
    release();
    expect(root.status.code).toBe('ERROR');
    expect(root.attributes).toMatchObject({
      'callpass.decision': 'failed',
      'callpass.reason': 'LEDGER_UNAVAILABLE',
    });
    expect(steps.get('callpass.ledger.commit')?.status.code).toBe('ERROR');
    expect(steps.get('callpass.ledger.group_commit')?.attributes['callpass.ledger.outcome']).not.toBe(
      'committed',
    );
  });

  it('Redis that is away', async () => {
    // Port 1 is privileged and nobody's.
    const away = await start({ CALLPASS_LIMITS_URL: 'redis://127.0.0.1:1' });
    const { root, steps } = await traceOf((o) =>
      away.credentials.issueCredentials({ destination: 'once' }, o),
    );
    expect(root.status.code).toBe('ERROR');
    expect(root.attributes).toMatchObject({
      'callpass.decision': 'failed',
      'callpass.reason': 'LIMITER_UNAVAILABLE',
      'callpass.rule': 'limits[0] per DESTINATION',
    });
    expect(steps.get('callpass.limit.take')?.attributes['callpass.limit.outcome']).toBe('unavailable');
  });

  it('overload', async () => {
    const narrow = await start({
      CALLPASS_OVERLOAD_MAX_IN_FLIGHT: '1',
      CALLPASS_TELEMETRY_ADDRESS: '127.0.0.1:0',
    });
    const release = holdStore(narrow);
    const first = narrow.credentials.issueCredentials({ destination: 'open' }).catch(() => undefined);
    while (!(await isIssuing(narrow))) await pause(10);
    const { root } = await traceOf((o) => narrow.credentials.issueCredentials({ destination: 'open' }, o));
    release();
    await first;
    expect(root.status.code).toBe('UNSET');
    expect(root.attributes['callpass.reason']).toBe('OVERLOADED');
    expect(root.events.map(({ name }) => name)).toContain('callpass.shed');
  });

  it('a clock step', async () => {
    const stepping = await start(WITH_CLOCK_TO_STEP);
    await stepping.credentials.issueCredentials({ destination: 'open' });
    await stepClock(stepping.server);
    const { root } = await traceOf((o) => stepping.credentials.issueCredentials({ destination: 'open' }, o));
    expect(root.status.code).toBe('ERROR');
    expect(root.attributes).toMatchObject({
      'callpass.decision': 'failed',
      'callpass.reason': 'CLOCK_UNTRUSTED',
      'callpass.rule': 'clock',
    });
  });

  describe('an expired certificate', () => {
    let parties: TlsParties | undefined;
    afterEach(async () => {
      await parties?.stop();
      parties = undefined;
    });

    it("the server's, on the span of the client", async () => {
      parties = await startTlsParties(receiver, { server: LATE });
      const { client } = await parties.issue();
      expect(client.status.code).toBe('ERROR');
      expect(client.attributes['callpass.transport.fault']).toBe('CERT_HAS_EXPIRED');
    });

    it("the client's, on the span of the client, where the server insists on one and closes the connection", async () => {
      parties = await startTlsParties(receiver, { client: LATE, clientCertificates: 'required' });
      const { client } = await parties.issue();
      expect(client.status.code).toBe('ERROR');
      expect(client.attributes['callpass.transport.fault']).toBe('CLIENT_CERT_HAS_EXPIRED');
    });

    it("the client's, on the span of the server, where the server lets it speak", async () => {
      parties = await startTlsParties(receiver, { client: LATE, clientCertificates: 'optional' });
      const { server } = await parties.issue();
      expect(server?.attributes).toMatchObject({
        'callpass.reason': 'CLIENT_UNKNOWN',
        'callpass.rule': 'authentication CERTIFICATE_NOT_VALID_NOW',
      });
    });
  });
});

/** Checks if an issue is in progress. */
async function isIssuing({ server }: TracedService): Promise<boolean> {
  const scraped = await fetch(`http://${server.telemetry}/metrics`).then((response) => response.text());
  return /^callpass_requests_active\{.*"ISSUE".*\} 1$/m.test(scraped);
}

function expectRefused(root: ReceivedSpan, reason: string, destination: string): void {
  expect(root.status.code).toBe('UNSET');
  expect(root.attributes).toMatchObject({
    'callpass.decision': 'refused',
    'callpass.reason': reason,
    'callpass.destination': destination,
  });
}

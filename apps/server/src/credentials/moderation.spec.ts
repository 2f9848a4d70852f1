import { anyUnpack } from '@bufbuild/protobuf/wkt';
import { parseConfigurationDocument } from '@callpass/config-document';
import { LedgerEntry_Kind, type Destination } from '@callpass/contract';
import { ErrorInfoSchema, RetryInfoSchema } from '@callpass/rpc-protos/gen/google/rpc/error_details_pb.js';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { freePort } from '@callpass/testkit/free-port';
import { refusalOf } from '../testing/refusal.ts';
import { startTestServer, type TestServer } from '../testing/test-server.ts';

const DOCUMENT = `
realms:
  - { name: r, cipher: AES_128_ECB, tokenLifetime: 60s }
destinations:
  - { id: line, realm: r, account: a@x.example, callees: [b@x.example], callers: ["*@team.example"] }
  - { id: lobby, mode: UNRESTRICTED, account: a@x.example, callees: [b@x.example], limits: [{ per: DESTINATION, max: 2, window: 60s }] }
  - { id: three, realm: r, account: a@x.example, callees: [b@x.example], limits: [{ per: SUBJECT, max: 3, window: 60s }] }
  - { id: lenient, realm: r, account: a@x.example, callees: [b@x.example], limits: [{ per: DESTINATION, max: 1, window: 60s, whenUnavailable: ALLOW }] }
  - { id: watched, realm: r, account: a@x.example, callees: [b@x.example], limits: [{ per: DESTINATION, max: 1, window: 60s, shadow: true }] }
  - { id: mixed, realm: r, account: a@x.example, callees: [b@x.example], limits: [{ per: DESTINATION, max: 1, window: 60s, whenUnavailable: ALLOW }, { per: REALM, max: 9, window: 60s }] }
`;

let server: TestServer;
const start = async (environment: Readonly<Record<string, string>> = {}) => {
  server = await startTestServer({ environment });
  await server.configure(DOCUMENT);
  await server.activateKey('r', '1234567890abcdef');
};
beforeEach(() => start());
afterEach(() => server.stop());

const issue = (request: Parameters<typeof server.credentials.issueCredentials>[0]) =>
  server.credentials.issueCredentials(request);

const entries = async (kind: LedgerEntry_Kind) => (await server.ledger.listEntries({ kind })).entries;

/** Outcomes of the items of a batch, in order. */
async function batch(requests: Parameters<typeof issue>[0][]) {
  const { results } = await server.credentials.batchIssueCredentials({ requests });
  return results.map(({ result }) => {
    if (result.case === 'response') return 'issued';
    const details = result.case === 'status' ? result.value.details : [];
    const info = details.flatMap((any) => anyUnpack(any, ErrorInfoSchema) ?? [])[0];
    const retry = details.some((any) => anyUnpack(any, RetryInfoSchema));
    return retry ? `${info?.reason} with RetryInfo` : info?.reason;
  });
}

describe('a refusal is in the ledger with its rule and its client', () => {
  it.each([
    ['callers', 'CALLER_NOT_ALLOWED', { destination: 'line', caller: 'visitor@elsewhere.example' }],
    ['callees', 'CALLEE_NOT_ALLOWED', { destination: 'line', callee: 'premium@elsewhere.example' }],
    ['grant', 'DESTINATION_UNKNOWN', { destination: 'nowhere' }],
  ])('%s: %s', async (rule, reason, request) => {
    expect(await refusalOf(issue({ ...request, subject: 'canary-visitor' }))).toMatchObject({ reason });
    const found = await entries(LedgerEntry_Kind.REFUSED);
    expect(found).toMatchObject([{ rule, reason, client: 'local', ...request }]);
    expect(found[0]?.subjectHash).toMatch(/^[0-9a-f]{32}$/);
  });

  it('a limit, with the limit', async () => {
    for (const _ of [1, 2, 3]) await issue({ destination: 'three', subject: 'v' });
    expect(await refusalOf(issue({ destination: 'three', subject: 'v' }))).toMatchObject({
      reason: 'LIMIT_EXCEEDED',
      retryAfterSeconds: 60,
      quota: [{ subject: 'destination:three', description: 'limits[0] per SUBJECT: 3 in 60 s' }],
    });
    expect(await entries(LedgerEntry_Kind.REFUSED)).toMatchObject([
      { rule: 'limits[0] per SUBJECT', reason: 'LIMIT_EXCEEDED', client: 'local', destination: 'three' },
    ]);
  });
});

describe('unrestricted calls', () => {
  it('are moderated, limited and recorded all the same', async () => {
    await issue({ destination: 'lobby' });
    await issue({ destination: 'lobby' });
    expect(await refusalOf(issue({ destination: 'lobby' }))).toMatchObject({ reason: 'LIMIT_EXCEEDED' });
    expect(await refusalOf(issue({ destination: 'lobby', callee: 'c@x.example' }))).toMatchObject({
      reason: 'CALLEE_NOT_ALLOWED',
    });
    expect(await entries(LedgerEntry_Kind.ISSUED)).toHaveLength(2);
    expect(await entries(LedgerEntry_Kind.REFUSED)).toHaveLength(2);
  });

  it('are pointed out when a document with them is applied', async () => {
    const { configuration, revision } = await server.admin.getConfiguration({});
    const { warnings } = await server.admin.applyConfiguration({
      configuration,
      expectedRevision: revision?.revision ?? 0,
      dryRun: true,
    });
    expect(warnings.join()).toContain('destination "lobby": calls are unrestricted');
  });
});

describe('a batch', () => {
  it('is moderated and limited item by item: a limit that is full in the middle fails only what is over it', async () => {
    const outcomes = await batch([
      ...Array.from({ length: 5 }, () => ({ destination: 'three', subject: 'eager' })),
      { destination: 'line', callee: 'premium@elsewhere.example' },
      { destination: 'three', subject: 'patient' },
      { destination: 'line' },
    ]);
    expect(outcomes).toEqual([
      'issued',
      'issued',
      'issued',
      'LIMIT_EXCEEDED with RetryInfo',
      'LIMIT_EXCEEDED with RetryInfo',
      'CALLEE_NOT_ALLOWED',
      'issued',
      'issued',
    ]);
    expect(await entries(LedgerEntry_Kind.ISSUED)).toHaveLength(5);
    expect(await entries(LedgerEntry_Kind.REFUSED)).toHaveLength(3);
  });
});

describe('a flood of refusals', () => {
  it('leaves a few entries and one with the number of the others, at the stop at the latest', async () => {
    for (let n = 0; n < 40; n++)
      expect(await refusalOf(issue({ destination: 'line', callee: 'c@x.example' }))).toMatchObject({
        reason: 'CALLEE_NOT_ALLOWED',
      });
    const items = Array.from({ length: 200 }, (_, n) => ({ destination: `nowhere-${n}` }));
    expect(new Set(await batch(items))).toEqual(new Set(['DESTINATION_UNKNOWN']));
    expect(await entries(LedgerEntry_Kind.REFUSED)).toHaveLength(20);
    const { environment } = server;
    const other = await startTestServer({ environment });
    await server.stop();
    server = other;
    const { entries: found } = await server.ledger.listEntries({
      kind: LedgerEntry_Kind.REFUSED,
      pageSize: 100,
    });
    expect(found).toHaveLength(22);
    expect(found.map(({ rule }) => rule)).toEqual(
      expect.arrayContaining(['callees, 30 more within a minute', 'grant, 190 more within a minute']),
    );
  });
});

describe('shadow limits', () => {
  it('refuse nothing; what they would have refused is in the ledger', async () => {
    for (const _ of [1, 2]) await issue({ destination: 'watched' });
    const issued = await entries(LedgerEntry_Kind.ISSUED);
    expect(issued.map(({ rule }) => rule).sort()).toEqual(['', 'shadow limits[0] per DESTINATION']);
  });
});

describe('without the counters', () => {
  beforeEach(async () => {
    await server.stop();
    await start({ CALLPASS_LIMITS_URL: `redis://127.0.0.1:${await freePort()}` });
  });

  it('the server starts, and each limit does what it says', async () => {
    expect(await refusalOf(issue({ destination: 'three', subject: 'v' }))).toMatchObject({
      code: 'UNAVAILABLE',
      reason: 'LIMITER_UNAVAILABLE',
    });
    expect(await refusalOf(issue({ destination: 'mixed' }))).toMatchObject({ reason: 'LIMITER_UNAVAILABLE' });
    for (const destination of ['line', 'lenient', 'lenient', 'watched']) await issue({ destination });
    expect((await entries(LedgerEntry_Kind.REFUSED)).map(({ rule }) => rule).sort()).toEqual([
      'limits[0] per SUBJECT',
      'limits[1] per REALM',
    ]);
    expect((await entries(LedgerEntry_Kind.ISSUED)).map(({ rule }) => rule).sort()).toEqual([
      '',
      ...Array.from({ length: 3 }, () => 'uncounted limits[0] per DESTINATION'),
    ]);
  });

  it('a batch fails only the items whose limits refuse', async () => {
    const outcomes = await batch([
      { destination: 'line' },
      { destination: 'three', subject: 'v' },
      { destination: 'lenient' },
      { destination: 'mixed' },
    ]);
    expect(outcomes).toEqual(['issued', 'LIMITER_UNAVAILABLE', 'issued', 'LIMITER_UNAVAILABLE']);
  });

  it('trying says so and leaves out what is taken', async () => {
    expect(await server.admin.tryIssue({ destination: 'mixed' })).toMatchObject({
      allowed: false,
      reason: 'LIMITER_UNAVAILABLE',
      rule: 'limits[1] per REALM',
    });
    const lenient = await server.admin.tryIssue({ destination: 'lenient' });
    expect(lenient.allowed).toBe(true);
    expect(lenient.limits[0]?.taken).toBeUndefined();
  });
});

describe('a configuration at its worst', () => {
  const usual = `realm: r, account: a@x.example, callees: [b@x.example]`;
  const one = (rest: string) =>
    parseConfigurationDocument(`
realms:
  - { name: r, cipher: AES_128_ECB, tokenLifetime: 60s }
destinations:
  - { id: last, ${usual}, ${rest} }
`).configuration;
  const [first] = one('hours: { timeZone: Europe/Berlin, open: ["Mon-Fri 08:00-18:00"] }').destinations;
  const others = Array.from({ length: 9_999 }, (_, index) => ({ ...first, id: `d${index}` }) as Destination);

  it.each([
    [
      'a time zone that does not exist',
      'hours: { timeZone: Europe/Nowhere, open: ["Mon 08:00-18:00"] }',
      'hours.timeZone',
    ],
    ['a window of zero', 'limits: [{ per: SUBJECT, max: 5, window: 0s }]', 'limits[0].window'],
    [
      'hours that end where they begin',
      'hours: { timeZone: UTC, open: ["Mon 08:00-08:00"] }',
      'hours.open[0]',
    ],
  ])(
    '%s among 10,000 destinations is found, named, and not slow to find',
    async (_, rest, field) => {
      const configuration = one(rest);
      configuration.destinations.unshift(...others);
      const start = performance.now();
      const refusal = await refusalOf(
        server.admin.applyConfiguration({ configuration, expectedRevision: 1 }, { timeoutMs: 60_000 }),
      );
      // A check that is not linear would take minutes.
      expect(performance.now() - start).toBeLessThan(20_000);
      expect(refusal).toMatchObject({ code: 'INVALID_ARGUMENT', reason: 'REQUEST_INVALID' });
      expect(refusal.fields).toEqual([`configuration.destinations[9999].${field}`]);
      expect((await server.admin.getConfiguration({})).revision?.revision).toBe(1);
    },
    120_000,
  );
});

import { parseConfigurationDocument } from '@callpass/config-document';
import { durationMs, timestampFromMs, timestampMs } from '@bufbuild/protobuf/wkt';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { refusalOf } from '../testing/refusal.ts';
import { START_MS, startTestServer, type TestServer } from '../testing/test-server.ts';

const DOCUMENT = `
realms:
  - { name: r, cipher: AES_128_ECB, tokenLifetime: 60s }
  - { name: keyless, cipher: AES_128_ECB, tokenLifetime: 60s }
destinations:
  - id: office
    realm: r
    account: a@x.example
    callees: [b@x.example]
    requireSubject: true
    hours: { timeZone: Europe/Berlin, open: ["Mon-Fri 08:00-18:00"], closedDates: ["2026-03-03"] }
    limits: [{ per: SUBJECT, max: 2, window: 60s }, { per: CLIENT, max: 9, window: 3600s }, { per: DESTINATION, max: 1, window: 60s, shadow: true }]
  - { id: keyless, realm: keyless, account: a@x.example, callees: [b@x.example] }
  - { id: off, realm: r, account: a@x.example, callees: [b@x.example], enabled: false }
  - { id: lobby, mode: UNRESTRICTED, account: a@x.example, callees: [b@x.example] }
  - { id: frozen, mode: UNRESTRICTED, account: a@x.example, callees: [b@x.example] }
clients:
  - { name: edge, identities: [{ dnsName: edge.example }], grants: [{ role: ISSUER, destinations: [office] }] }
  - { name: auditor, identities: [{ dnsName: audit.example }], grants: [{ role: AUDITOR }] }
`;

let server: TestServer;
beforeAll(async () => {
  server = await startTestServer();
  await server.configure(DOCUMENT);
  await server.activateKey('r', '1234567890abcdef');
  await server.admin.freeze({ scope: { scope: { case: 'destination', value: 'frozen' } }, reason: 'test' });
});
afterAll(() => server.stop());
beforeEach(() => {
  server.clock.nowMs = START_MS;
});

const attempt = (request: Parameters<typeof server.admin.tryIssue>[0]) => server.admin.tryIssue(request);

describe('TryIssue', () => {
  it('says what would be granted, to whom, with the limits that would count', async () => {
    const answer = await attempt({ destination: 'office', subject: 'v', client: 'edge' });
    expect(answer).toMatchObject({
      allowed: true,
      reason: '',
      rule: '',
      callee: 'b@x.example',
      caller: 'a@x.example',
    });
    expect(answer.limits.map(({ name, max, taken, shadow }) => [name, max, taken, shadow])).toEqual([
      ['limits[0] per SUBJECT', 2, 0, false],
      ['limits[1] per CLIENT', 9, 0, false],
      ['limits[2] per DESTINATION', 1, 0, true],
    ]);
    expect(answer.limits.map(({ window }) => window && durationMs(window))).toEqual([
      60_000, 3_600_000, 60_000,
    ]);
    expect((await attempt({ destination: 'lobby' })).text).toContain('unrestricted');
  });

  it.each([
    ['office', {}, 'SUBJECT_REQUIRED', 'requireSubject'],
    ['office', { subject: 'v', callee: 'c@x.example' }, 'CALLEE_NOT_ALLOWED', 'callees'],
    ['office', { subject: 'v', caller: 'c@x.example' }, 'CALLER_NOT_ALLOWED', 'callers'],
    ['off', {}, 'DESTINATION_DISABLED', 'enabled'],
    ['keyless', {}, 'KEY_NOT_ACTIVE', 'realm'],
    ['frozen', {}, 'FROZEN', 'freeze DESTINATION'],
    ['nowhere', {}, 'DESTINATION_UNKNOWN', 'grant'],
    ['lobby', { client: 'edge' }, 'CLIENT_NOT_GRANTED', 'grant'],
    ['nowhere', { client: 'edge' }, 'CLIENT_NOT_GRANTED', 'grant'],
    ['lobby', { client: 'auditor' }, 'CLIENT_NOT_GRANTED', 'grant'],
    ['lobby', { client: 'stranger' }, 'CLIENT_UNKNOWN', 'clients'],
  ])('%s with %j: %s by %s', async (destination, more, reason, rule) => {
    const answer = await attempt({ destination, ...more });
    expect(answer).toMatchObject({ allowed: false, reason, rule, callee: '', caller: '' });
    expect(answer.text).not.toBe('');
  });

  it('goes by the time asked about, and says when it opens next', async () => {
    const time = timestampFromMs(Date.UTC(2026, 2, 2, 17));
    const answer = await attempt({ destination: 'office', subject: 'v', time });
    expect(answer).toMatchObject({ allowed: false, reason: 'DESTINATION_CLOSED', rule: 'hours' });
    expect(answer.openTime && timestampMs(answer.openTime)).toBe(Date.UTC(2026, 2, 4, 7));
  });

  it('shows what is taken and says when a limit is full, for as long as its window runs', async () => {
    for (const _ of [1, 2])
      await server.credentials.issueCredentials({ destination: 'office', subject: 'eager' });
    const request = { destination: 'office', subject: 'eager' };
    const now = await attempt(request);
    expect(now).toMatchObject({ allowed: false, reason: 'LIMIT_EXCEEDED', rule: 'limits[0] per SUBJECT' });
    expect(now.limits.map(({ name, taken }) => [name, taken])).toEqual([
      ['limits[0] per SUBJECT', 2],
      ['limits[2] per DESTINATION', 2],
    ]);
    const at = (ms: number) => attempt({ ...request, time: timestampFromMs(START_MS + ms) });
    expect((await at(59_999)).reason).toBe('LIMIT_EXCEEDED');
    expect((await at(60_000)).allowed).toBe(true);
  });

  it('tries a document that is not in force, and leaves the one in force alone', async () => {
    const { configuration } = parseConfigurationDocument(DOCUMENT.replace('enabled: false', 'enabled: true'));
    expect(await attempt({ destination: 'off', configuration })).toMatchObject({ allowed: true });
    expect(await attempt({ destination: 'off' })).toMatchObject({ reason: 'DESTINATION_DISABLED' });
  });

  it('refuses a document that does not hold, and names the field', async () => {
    const { configuration } = parseConfigurationDocument(DOCUMENT.replace('Europe/Berlin', 'Europe/Nowhere'));
    expect(await refusalOf(attempt({ destination: 'office', configuration }))).toMatchObject({
      reason: 'REQUEST_INVALID',
      fields: ['configuration.destinations[0].hours.timeZone'],
    });
  });

  it('issues, counts and records nothing', async () => {
    const before = await server.ledger.listEntries({});
    for (let count = 0; count < 20; count++) {
      expect(await attempt({ destination: 'office', subject: 'curious' })).toMatchObject({ allowed: true });
      await attempt({ destination: 'office' });
    }
    expect((await server.ledger.listEntries({})).entries).toHaveLength(before.entries.length);
  });
});

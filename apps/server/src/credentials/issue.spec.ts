import { timestampMs } from '@bufbuild/protobuf/wkt';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import type { IssueCredentialsResponse, TimeLimitedCredentials } from '@callpass/contract';
import { ErrorInfoSchema } from '@callpass/rpc-protos/gen/google/rpc/error_details_pb.js';
import { anyUnpack } from '@bufbuild/protobuf/wkt';
import { status } from '@grpc/grpc-js';
import { openCbc, openEcb } from '../testing/by-hand.ts';
import { reasonIn, refusalOf } from '../testing/refusal.ts';
import {
  DOCUMENT,
  KEYS,
  START_MS,
  startConfiguredServer,
  startTestServer,
  type TestServer,
} from '../testing/test-server.ts';

const ID = '7b0f7a52-2a3e-4c57-9c5c-0d5c1f0f3a11';

let server: TestServer;
beforeAll(async () => {
  server = await startConfiguredServer();
});
afterAll(() => server.stop());
beforeEach(() => {
  server.clock.nowMs = START_MS;
});

const issue = (request: Parameters<typeof server.credentials.issueCredentials>[0]) =>
  server.credentials.issueCredentials(request);

function tokensOf({ grant }: IssueCredentialsResponse): TimeLimitedCredentials {
  if (grant.case !== 'timeLimited') throw new Error('no tokens');
  return grant.value;
}

describe('IssueCredentials', () => {
  it('ECB: three tokens with one timestamp that any tool opens with the key', async () => {
    const answer = await issue({
      destination: 'ecb',
      callee: 'anna@team.example',
      caller: 'shop@kandy.example',
    });
    const { accountToken, fromToken, toToken, realm } = tokensOf(answer);
    expect(realm).toBe('ecb.example');
    expect(openEcb(KEYS[realm as 'ecb.example'], accountToken)).toBe(`account@kandy.example;${START_MS}`);
    expect(openEcb(KEYS['ecb.example'], fromToken)).toBe(`sip:shop@kandy.example;${START_MS}`);
    expect(openEcb(KEYS['ecb.example'], toToken)).toBe(`sip:anna@team.example;${START_MS}`);
    expect(answer).toMatchObject({
      callee: 'anna@team.example',
      caller: 'shop@kandy.example',
      keyVersion: 1,
    });
  });

  it('CBC: each token has an IV of its own', async () => {
    const { accountToken, fromToken, toToken } = tokensOf(await issue({ destination: 'cbc' }));
    const opened = [accountToken, fromToken, toToken].map((token) => openCbc(KEYS['cbc.example'], token));
    expect(opened.map(({ plaintext }) => plaintext)).toEqual([
      `account@kandy.example;x-ts=${START_MS}`,
      `sip:account@kandy.example;x-ts=${START_MS}`,
      `sip:support@kandy.example;x-ts=${START_MS}`,
    ]);
    expect(new Set(opened.map(({ iv }) => iv)).size).toBe(3);
    for (const { iv } of opened) expect(iv).toMatch(/^[A-Za-z0-9]{16}$/);
  });

  it('seconds: writes the unit that the realm counts in', async () => {
    const answer = await issue({ destination: 'seconds' });
    const second = Math.floor(START_MS / 1000);
    expect(openEcb(KEYS['seconds.example'], tokensOf(answer).accountToken)).toBe(
      `account@kandy.example;${second}`,
    );
    expect(answer.issueTime && timestampMs(answer.issueTime)).toBe(second * 1000);
  });

  it('tells when it expires and when to come back, and a UUIDv7 of its own', async () => {
    const [one, two] = [await issue({ destination: 'ecb' }), await issue({ destination: 'ecb' })];
    expect(one.issueTime && timestampMs(one.issueTime)).toBe(START_MS);
    expect(one.expireTime && timestampMs(one.expireTime)).toBe(START_MS + 600_000);
    expect(one.refreshTime && timestampMs(one.refreshTime)).toBeLessThan(START_MS + 600_000);
    expect(one.issuanceId).toMatch(/^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/);
    expect(one.issuanceId).not.toBe(two.issuanceId);
  });

  it('unrestricted: grants without tokens, key or expiry', async () => {
    const answer = await issue({ destination: 'lobby' });
    expect(answer.grant.case).toBe('unrestricted');
    expect(answer).toMatchObject({
      callee: 'lobby@kandy.example',
      caller: 'account@kandy.example',
      keyVersion: 0,
    });
    expect(answer.expireTime).toBeUndefined();
  });

  it.each([
    ['nowhere', {}, 'NOT_FOUND', 'DESTINATION_UNKNOWN'],
    ['off', {}, 'FAILED_PRECONDITION', 'DESTINATION_DISABLED'],
    ['members', {}, 'FAILED_PRECONDITION', 'SUBJECT_REQUIRED'],
    ['ecb', { callee: 'boss@kandy.example' }, 'PERMISSION_DENIED', 'CALLEE_NOT_ALLOWED'],
    ['ecb', { caller: 'visitor@elsewhere.example' }, 'PERMISSION_DENIED', 'CALLER_NOT_ALLOWED'],
    ['keyless', {}, 'FAILED_PRECONDITION', 'KEY_NOT_ACTIVE'],
  ])('refuses %s with %j: %s %s', async (destination, more, code, reason) => {
    const refusal = await refusalOf(issue({ destination, ...more }));
    expect(refusal).toMatchObject({ code, reason, domain: 'callpass' });
    expect(refusal.help).toEqual([`urn:callpass:problem:${reason}`]);
  });

  it('refuses outside the hours, and says when it opens next', async () => {
    server.clock.nowMs = Date.UTC(2026, 2, 2, 17, 0, 0); // 18:00 in Berlin, and the next day is a closed date
    const refusal = await refusalOf(issue({ destination: 'office' }));
    expect(refusal).toMatchObject({ code: 'FAILED_PRECONDITION', reason: 'DESTINATION_CLOSED' });
    expect(refusal.metadata?.['opensAt']).toBe('2026-03-04T07:00:00.000Z');
  });

  it('refuses over the limit of a subject, and says when to come back', async () => {
    const ask = () => issue({ destination: 'limited', subject: 'eager-visitor' });
    await ask();
    await ask();
    const refusal = await refusalOf(ask());
    expect(refusal).toMatchObject({ code: 'RESOURCE_EXHAUSTED', reason: 'LIMIT_EXCEEDED' });
    expect(refusal.retryAfterSeconds).toBeGreaterThan(0);
    expect(refusal.retryAfterSeconds).toBeLessThanOrEqual(60);
    expect(refusal.quota[0]?.description).toContain('per SUBJECT');
    expect(JSON.stringify(refusal)).not.toContain('eager-visitor');
    await issue({ destination: 'limited', subject: 'patient-visitor' });
  });

  it('refuses what is frozen', async () => {
    const scope = { scope: { case: 'destination', value: 'cbc' } } as const;
    await server.admin.freeze({ scope, reason: 'test' });
    expect(await refusalOf(issue({ destination: 'cbc' }))).toMatchObject({
      code: 'PERMISSION_DENIED',
      reason: 'FROZEN',
    });
    await server.admin.unfreeze({ scope });
    await issue({ destination: 'cbc' });
  });
});

describe('request_id', () => {
  it('gives the very same answer again, in either case of the id', async () => {
    const first = await issue({ destination: 'cbc', subject: 's', requestId: ID });
    server.clock.nowMs += 60_000;
    expect(await issue({ destination: 'cbc', subject: 's', requestId: ID.toUpperCase() })).toEqual(first);
  });

  it('is refused with another body', async () => {
    await issue({ destination: 'cbc', subject: 's', requestId: ID });
    expect(await refusalOf(issue({ destination: 'cbc', subject: 't', requestId: ID }))).toMatchObject({
      code: 'FAILED_PRECONDITION',
      reason: 'REQUEST_ID_REUSED',
    });
  });

  it('is good for a new answer once the tokens have expired', async () => {
    const first = await issue({ destination: 'cbc', requestId: 'b5b7c1de-0f5b-4b8e-8a56-5b1f0f1f2a3b' });
    server.clock.nowMs += 600_000;
    const second = await issue({ destination: 'cbc', requestId: 'b5b7c1de-0f5b-4b8e-8a56-5b1f0f1f2a3b' });
    expect(second.issuanceId).not.toBe(first.issuanceId);
  });

  it('raced gives one issue', async () => {
    const requestId = '0e5c8a3c-3d7c-4f34-8a8e-6d2d6b8f6f01';
    const answers = await Promise.all(
      Array.from({ length: 20 }, () => issue({ destination: 'ecb', requestId })),
    );
    expect(new Set(answers.map(({ issuanceId }) => issuanceId)).size).toBe(1);
  });

  it('is remembered across a restart and on another instance', async () => {
    const first = await issue({ destination: 'cbc', requestId: '6a1d1f4c-8f2b-4f6d-9b39-3a2d0b3f1f55' });
    const other = await startTestServer({ environment: server.environment, clock: server.clock });
    try {
      const again = await other.credentials.issueCredentials({
        destination: 'cbc',
        requestId: '6a1d1f4c-8f2b-4f6d-9b39-3a2d0b3f1f55',
      });
      expect(again).toEqual(first);
    } finally {
      await other.stop();
    }
  });
});

describe('request_id after a freeze', () => {
  const requestId = 'c1d4c1de-0f5b-4b8e-8a56-5b1f0f1f2a3b';
  const request = { destination: 'cbc', subject: 'visitor-19', requestId };

  it.each([
    ['realm', 'cbc.example'],
    ['destination', 'cbc'],
    ['client', 'local'],
    ['subject', 'visitor-19'],
  ] as const)('gives no credentials of a frozen %s again, alone and in a batch', async (scope, value) => {
    const first = await issue(request);
    await server.admin.freeze({ scope: { scope: { case: scope, value } }, reason: 'test' });
    expect(await refusalOf(issue(request))).toMatchObject({ reason: 'FROZEN' });
    const { results } = await server.credentials.batchIssueCredentials({ requests: [request] });
    const [result] = results.map((each) => each.result);
    const details = result?.case === 'status' ? result.value.details : [];
    expect(details.map((any) => anyUnpack(any, ErrorInfoSchema)?.reason)).toContain('FROZEN');
    await server.admin.unfreeze({ scope: { scope: { case: scope, value } } });
    expect(await issue(request)).toEqual(first);
  });

  it('gives no credentials of a frozen realm that the destination has left', async () => {
    await issue(request);
    await server.configure(
      DOCUMENT.replace('{ id: cbc, realm: cbc.example', '{ id: cbc, realm: ecb.example'),
    );
    const scope = { scope: { case: 'realm', value: 'cbc.example' } } as const;
    await server.admin.freeze({ scope, reason: 'test' });
    expect(await refusalOf(issue(request))).toMatchObject({ reason: 'FROZEN' });
    await server.admin.unfreeze({ scope });
    await server.configure(DOCUMENT);
  });
});

describe('BatchIssueCredentials', () => {
  it('answers each request in its place, whatever becomes of the others', async () => {
    const { results } = await server.credentials.batchIssueCredentials({
      requests: [
        { destination: 'ecb' },
        { destination: 'off' },
        { destination: 'UPPER CASE' },
        { destination: 'lobby' },
      ],
    });
    expect(results.map(({ result }) => result.case)).toEqual(['response', 'status', 'status', 'response']);
    const statuses = results.flatMap(({ result }) => (result.case === 'status' ? [result.value] : []));
    expect(statuses.map(({ code }) => code)).toEqual([status.FAILED_PRECONDITION, status.INVALID_ARGUMENT]);
    expect(statuses.map(reasonIn)).toEqual(['DESTINATION_DISABLED', 'REQUEST_INVALID']);
  });

  it('gives each request the tokens of its own realm, callee and time', async () => {
    const asked = [
      { destination: 'ecb', callee: 'anna@team.example' },
      { destination: 'cbc' },
      { destination: 'seconds' },
      { destination: 'ecb' },
    ];
    const { results } = await server.credentials.batchIssueCredentials({ requests: asked });
    const [anna, cbc, seconds, ecb] = results.map(({ result }) =>
      result.case === 'response' ? tokensOf(result.value).toToken : '',
    ) as [string, string, string, string];
    expect(openEcb(KEYS['ecb.example'], anna)).toBe(`sip:anna@team.example;${START_MS}`);
    expect(openCbc(KEYS['cbc.example'], cbc).plaintext).toBe(`sip:support@kandy.example;x-ts=${START_MS}`);
    expect(openEcb(KEYS['seconds.example'], seconds)).toBe(
      `sip:support@kandy.example;${Math.floor(START_MS / 1000)}`,
    );
    expect(openEcb(KEYS['ecb.example'], ecb)).toBe(`sip:support@kandy.example;${START_MS}`);
  });

  it('takes 1 to 256 requests', async () => {
    const batch = (count: number) =>
      server.credentials.batchIssueCredentials({
        requests: Array.from({ length: count }, () => ({ destination: 'ecb' })),
      });
    expect((await batch(256)).results).toHaveLength(256);
    for (const count of [0, 257]) {
      expect(await refusalOf(batch(count))).toMatchObject({
        reason: 'REQUEST_INVALID',
        fields: ['requests'],
      });
    }
  });
});

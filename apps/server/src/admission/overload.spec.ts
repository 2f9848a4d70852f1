import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { refusalOf } from '../testing/refusal.ts';
import { DOCUMENT, KEYS, startTestServer, type TestServer } from '../testing/test-server.ts';

const CALLS = 300;
const BURST_OF_RESETS = 1000;

let server: TestServer;
beforeAll(async () => {
  server = await startTestServer({ environment: { CALLPASS_OVERLOAD_MAX_IN_FLIGHT: '2' } });
  await server.configure(DOCUMENT);
  await server.activateKey('ecb.example', KEYS['ecb.example']);
});
afterAll(() => server.stop());

const reasonOf = async (error: unknown) => (await refusalOf(Promise.reject(error))).reason;

const recorded = async () => {
  let count = 0;
  for (let pageToken = ''; ;) {
    const page = await server.ledger.listEntries({ pageSize: 500, pageToken });
    count += page.entries.length;
    pageToken = page.nextPageToken;
    if (pageToken === '') return count;
  }
};

describe('a server that is asked for more than it may have under way', () => {
  it('grants what it can, refuses the rest with a time to come back, and records the granted only', async () => {
    const before = await recorded();
    const outcomes = await Promise.all(
      Array.from({ length: CALLS }, () => {
        const call = server.credentials.issueCredentials({ destination: 'ecb' });
        return call.then(
          () => undefined,
          () => refusalOf(call),
        );
      }),
    );
    const refused = outcomes.filter((refusal) => refusal !== undefined);
    expect(refused.length).toBeGreaterThan(CALLS / 2);
    expect(refused.length).toBeLessThan(CALLS);
    for (const refusal of refused) {
      expect(refusal).toMatchObject({ code: 'RESOURCE_EXHAUSTED', domain: 'callpass', reason: 'OVERLOADED' });
      expect(refusal.retryAfterSeconds).toBeGreaterThanOrEqual(0.5);
      expect(refusal.retryAfterSeconds).toBeLessThanOrEqual(12.1);
    }
    expect((await recorded()) - before).toBe(CALLS - refused.length);
  });

  it('still validates, and serves operators, while issuing is shed', async () => {
    const { grant } = await server.credentials.issueCredentials({ destination: 'ecb' });
    const token = grant.case === 'timeLimited' ? grant.value.accountToken : '';
    const issuing = Array.from({ length: CALLS }, () =>
      server.credentials.issueCredentials({ destination: 'ecb' }).catch(() => undefined),
    );
    const [validated, freezes] = await Promise.all([
      server.credentials.validateToken({ realm: 'ecb.example', token }),
      server.admin.listFreezes({}),
    ]);
    expect(validated.verdict).toBeDefined();
    expect(freezes.freezes).toEqual([]);
    await Promise.all(issuing);
  });

  it('does not take its own refusals for calls that the client gave up', async () => {
    const refusals = async () => {
      const calls = Array.from({ length: CALLS }, () =>
        server.credentials.issueCredentials({ destination: 'ecb' }),
      );
      const settled = await Promise.all(calls.map((call) => call.then(() => 'granted', reasonOf)));
      return settled.filter((reason) => reason !== 'granted');
    };
    // More than clients may cancel before their connection is ended, `connections.maxResetsPerSecond`.
    for (let refused = 0; refused < 2 * BURST_OF_RESETS;) {
      const reasons = await refusals();
      expect(new Set(reasons)).toEqual(new Set(['OVERLOADED']));
      refused += reasons.length;
    }
  });

  it('grants again at once when the others have ended', async () => {
    await expect(server.credentials.issueCredentials({ destination: 'ecb' })).resolves.toHaveProperty(
      'grant',
    );
  });
});

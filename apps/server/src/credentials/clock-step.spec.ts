import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { CallpassError, createCredentialClient, type CredentialClient } from '@callpass/client';
import { Verdict } from '@callpass/contract';
import { DOCUMENT, KEYS, startTestServer, type TestServer } from '../testing/test-server.ts';

let server: TestServer;
let client: CredentialClient;
const clocks = { wall: 1_000_000_000, monotonic: 1000 };

beforeAll(async () => {
  server = await startTestServer({
    clockSource: { wallMs: () => clocks.wall, monotonicMs: () => clocks.monotonic },
  });
  await server.configure(DOCUMENT);
  await server.activateKey('ecb.example', KEYS['ecb.example']);
  client = createCredentialClient({ address: server.address, retry: false });
});
afterAll(async () => {
  client.close();
  await server.stop();
});

describe('a clock that has stepped', () => {
  it('stops issuing with a reason and a record, leaves validating alone, and is trusted again by itself', async () => {
    const before = await client.issueCredentials({ destination: 'ecb' });
    const token = before.grant.case === 'timeLimited' ? before.grant.value.toToken : '';

    clocks.wall += 60_000;
    const refused: unknown = await client
      .issueCredentials({ destination: 'ecb' })
      .catch((error: unknown) => error);
    expect(refused).toBeInstanceOf(CallpassError);
    expect(refused).toMatchObject({ reason: 'CLOCK_UNTRUSTED', retryAfterMs: 10_000 });
    const { results } = await client.batchIssueCredentials({ requests: [{ destination: 'ecb' }] });
    expect(results[0]?.result.case).toBe('status');
    const validated = await client.validateToken({ realm: 'ecb.example', token });
    expect(validated.verdict).toBe(Verdict.VALID);
    const { entries } = await server.ledger.listEntries({ destination: 'ecb' });
    expect(
      entries.filter(({ reason, rule }) => reason === 'CLOCK_UNTRUSTED' && rule === 'clock'),
    ).toHaveLength(2);

    clocks.wall += 10_000;
    clocks.monotonic += 10_000;
    await expect(client.issueCredentials({ destination: 'ecb' })).resolves.toMatchObject({ keyVersion: 1 });
  });
});

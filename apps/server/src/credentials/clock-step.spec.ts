import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { CallpassError, createCredentialClient, type CredentialClient } from '@callpass/client';
import { Verdict } from '@callpass/contract';
import { DOCUMENT, KEYS, START_MS, startTestServer, type TestServer } from '../testing/test-server.ts';

let server: TestServer;
let client: CredentialClient;
const clocks = { wall: START_MS, monotonic: 1000 };

beforeAll(async () => {
  server = await startTestServer({
    clockSource: { wallMs: () => clocks.wall, monotonicMs: () => clocks.monotonic, sleptMs: () => 0 },
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
  it('stops issuing with a reason and a record, leaves validating alone, and is trusted again only when the step is undone', async () => {
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

    const pass = (ms: number) => {
      clocks.wall += ms;
      clocks.monotonic += ms;
    };
    pass(3_600_000);
    await expect(client.issueCredentials({ destination: 'ecb' })).rejects.toMatchObject({
      reason: 'CLOCK_UNTRUSTED',
    });
    clocks.wall -= 60_000;
    await expect(client.issueCredentials({ destination: 'ecb' })).rejects.toMatchObject({
      reason: 'CLOCK_UNTRUSTED',
    });
    pass(10_000);
    await expect(client.issueCredentials({ destination: 'ecb' })).resolves.toMatchObject({ keyVersion: 1 });
  });
});

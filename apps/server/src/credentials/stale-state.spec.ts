import { randomBytes } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { Verdict } from '@callpass/contract';
import { createClient } from '@callpass/grpc-kit';
import { Authorization } from '@callpass/rpc-protos/gen/envoy/service/auth/v3/external_auth_pb.js';
import { resealStore } from '@callpass/storage';
import { subscribeRequest } from '@callpass/testkit/manipulated-requests';
import { refusalOf } from '../testing/refusal.ts';
import { DOCUMENT, startTestServer, type TestServer } from '../testing/test-server.ts';

let server: TestServer;
beforeAll(async () => {
  server = await startTestServer({ environment: { CALLPASS_AUTHORIZE_ENABLED: 'true' } });
  await server.configure(DOCUMENT);
  await server.activateKey('ecb.example', 'realm-key-16byte');
});
afterAll(() => server.stop());

const issue = () => server.credentials.issueCredentials({ destination: 'ecb' });

describe('a server whose store was sealed under another key-encryption key', () => {
  it('issues nothing, says why, lets nothing through to the gateway, and marks what it validates with the keys that it has', async () => {
    const { grant } = await issue();
    if (grant.case !== 'timeLimited') throw new TypeError('no tokens');
    const timeLimited = grant.value;
    const { method, path } = subscribeRequest(timeLimited);
    const authorize = async () => {
      const attributes = { request: { http: { method, path } } };
      return (await createClient(Authorization, server.connection).check({ attributes })).status?.message;
    };
    expect(await authorize()).toBe('');
    const validate = () => server.credentials.validateCredentials({ timeLimited });
    expect(await validate()).toMatchObject({ verdict: Verdict.VALID, stale: false });

    const { CALLPASS_STORE_URL: url = '', CALLPASS_KEY_ENCRYPTION_KEY: key = '' } = server.environment;
    await resealStore({ url, oldKey: Buffer.from(key, 'base64'), newKey: randomBytes(32) });
    // It looks for changes each 50 ms.
    while (!(await validate()).stale) await new Promise((resolve) => setTimeout(resolve, 20));
    expect(await refusalOf(issue())).toMatchObject({
      code: 'UNAVAILABLE',
      reason: 'SNAPSHOT_STALE',
      metadata: { cause: 'SEALED_ANEW' },
    });
    expect(await validate()).toMatchObject({ verdict: Verdict.VALID, stale: true, to: { stale: true } });
    expect(await authorize()).toBe('SERVICE_UNAVAILABLE');
    const { entries } = await server.ledger.listEntries({});
    expect(entries.map(({ reason }) => reason)).not.toContain('SNAPSHOT_STALE');
  });
});

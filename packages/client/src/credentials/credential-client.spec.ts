import { afterEach, describe, expect, it } from '@jest/globals';
import { timestampFromMs } from '@bufbuild/protobuf/wkt';
import { Verdict } from '@callpass/contract';
import { detail, RpcError, validation, type ServerCall } from '@callpass/grpc-kit';
import { RetryInfoSchema } from '@callpass/rpc-protos/gen/google/rpc/error_details_pb.js';
import { status } from '@grpc/grpc-js';
import type { ConnectOptions } from '../connection/connect.ts';
import {
  frozenTiming,
  refusal,
  rejectionOf,
  startLocalService,
  type CredentialHandlers,
} from '../testing/local-service.ts';
import { createCredentialClient, type CredentialClient } from './credential-client.ts';

const REQUEST_ID = '0198c0de-0000-7000-8000-000000000001';
const issued = {
  issuanceId: 'i-1',
  grant: {
    case: 'timeLimited',
    value: { accountToken: 'AA', fromToken: 'BB', toToken: 'CC', realm: 'support.example' },
  },
  callee: 'support@kandy.example',
  caller: 'anonymous@kandy.example',
  issueTime: timestampFromMs(1_000),
  expireTime: timestampFromMs(601_000),
  refreshTime: timestampFromMs(481_000),
} as const;

const open: { close(): void }[] = [];
afterEach(() => {
  for (const each of open.splice(0)) each.close();
});

async function clientOf(
  handlers: Partial<CredentialHandlers>,
  options: Partial<ConnectOptions> = {},
): Promise<CredentialClient> {
  const service = await startLocalService(handlers, { interceptors: [validation()] });
  const client = createCredentialClient({ address: service.address, timing: frozenTiming(), ...options });
  open.push(client, { close: service.stop });
  return client;
}

it('gives a call the time of a limit that is longer than a timer', async () => {
  const leftMs: number[] = [];
  const validateToken = (_request: unknown, call: ServerCall) => {
    leftMs.push((call.deadline?.getTime() ?? 0) - Date.now());
    return { verdict: Verdict.VALID };
  };
  const timeoutMs = 30 * 86_400_000;
  const byCall = await clientOf({ validateToken });
  await byCall.validateToken({ realm: 'r', token: 'AB' }, { timeoutMs });
  const byConnection = await clientOf({ validateToken }, { defaultTimeoutMs: timeoutMs });
  await byConnection.validateToken({ realm: 'r', token: 'AB' });
  for (const left of leftMs) expect(left / 86_400_000).toBeCloseTo(24.8, 0);
});

/** A handler that fails so many times and then answers, and how often it was asked. */
function flaky<T>(times: number, answer: T, error = refusal(status.UNAVAILABLE, 'STORE_UNAVAILABLE')) {
  const asked = { count: 0 };
  const handler = () => {
    if (asked.count++ < times) throw error;
    return answer;
  };
  return { asked, handler };
}

describe('createCredentialClient', () => {
  it('issues, and gives back the typed answer', async () => {
    const client = await clientOf({
      issueCredentials: ({ destination }) => ({ ...issued, issuanceId: destination }),
    });
    const response = await client.issueCredentials({ destination: 'support' });
    expect(response).toMatchObject({ issuanceId: 'support', callee: 'support@kandy.example' });
  });

  it('validates, and gives back a wrong token as an answer', async () => {
    const client = await clientOf({ validateToken: () => ({ verdict: Verdict.EXPIRED }) });
    const response = await client.validateToken({ realm: 'support.example', token: 'FF' });
    expect(response.verdict).toBe(Verdict.EXPIRED);
  });

  it('throws a CallpassError with the fields that break a rule', async () => {
    const client = await clientOf({ issueCredentials: () => issued });
    await expect(client.issueCredentials({ destination: 'Not An Id' })).rejects.toMatchObject({
      name: 'CallpassError',
      code: status.INVALID_ARGUMENT,
      violations: [{ field: 'destination' }],
    });
  });

  it('tells how long to wait after a limit, and does not ask again', async () => {
    const limited = refusal(
      status.RESOURCE_EXHAUSTED,
      'LIMIT_EXCEEDED',
      detail(RetryInfoSchema, { retryDelay: { seconds: 12n } }),
    );
    const { asked, handler } = flaky(Infinity, issued, limited);
    const client = await clientOf({ issueCredentials: handler });
    await expect(
      client.issueCredentials({ destination: 'support', requestId: REQUEST_ID }),
    ).rejects.toMatchObject({ reason: 'LIMIT_EXCEEDED', retryAfterMs: 12_000 });
    expect(asked.count).toBe(1);
  });

  it.each([
    ['no grant', { ...issued, grant: { case: undefined } }],
    [
      'an empty token',
      { ...issued, grant: { case: 'timeLimited', value: { ...issued.grant.value, toToken: '' } } },
    ],
    ['no expiry', { ...issued, expireTime: undefined }],
    ['no refresh time', { ...issued, refreshTime: undefined }],
  ] as const)(
    'refuses an answer with %s, which an app would place a wrong call with',
    async (_name, answer) => {
      const client = await clientOf({ issueCredentials: () => answer });
      await expect(client.issueCredentials({ destination: 'support' })).rejects.toMatchObject({
        code: status.INTERNAL,
      });
    },
  );

  describe('retries', () => {
    it('an issue that carries a request id', async () => {
      const { asked, handler } = flaky(2, issued);
      const client = await clientOf({ issueCredentials: handler });
      await client.issueCredentials({ destination: 'support', requestId: REQUEST_ID });
      expect(asked.count).toBe(3);
    });

    it('no issue without a request id, which could issue twice', async () => {
      const { asked, handler } = flaky(1, issued);
      const client = await clientOf({ issueCredentials: handler });
      await rejectionOf(client.issueCredentials({ destination: 'support' }));
      expect(asked.count).toBe(1);
    });

    it('a batch only when each of its requests carries an id', async () => {
      const { asked, handler } = flaky(1, { results: [] });
      const client = await clientOf({ batchIssueCredentials: handler });
      const safe = { destination: 'support', requestId: REQUEST_ID };
      await rejectionOf(client.batchIssueCredentials({ requests: [safe, { destination: 'support' }] }));
      expect(asked.count).toBe(1);
      asked.count = 0;
      await client.batchIssueCredentials({ requests: [safe, safe] });
      expect(asked.count).toBe(2);
    });

    it('a validation', async () => {
      const { asked, handler } = flaky(1, { verdict: Verdict.VALID });
      const client = await clientOf({ validateToken: handler });
      await client.validateToken({ realm: 'support.example', token: 'FF' });
      expect(asked.count).toBe(2);
    });
  });

  describe('deadline', () => {
    const hang = (calls: ServerCall[]) => (_request: unknown, call: ServerCall) =>
      new Promise<never>((_resolve, reject) => {
        calls.push(call);
        call.signal.addEventListener('abort', () => reject(call.signal.reason as Error));
      });

    it('is there always, 5 s by default', async () => {
      const seen: (Date | undefined)[] = [];
      const client = await clientOf({
        validateToken: (_request, call) => {
          seen.push(call.deadline);
          return {};
        },
      });
      const before = Date.now();
      await client.validateToken({ realm: 'r', token: '' });
      const left = (seen[0]?.getTime() ?? Infinity) - before;
      expect(left).toBeGreaterThan(4_000);
      expect(left).toBeLessThanOrEqual(5_100);
    });

    it('ends the call, here and on the server', async () => {
      const calls: ServerCall[] = [];
      const client = await clientOf({ validateToken: hang(calls) });
      await expect(client.validateToken({ realm: 'r', token: '' }, { timeoutMs: 50 })).rejects.toMatchObject({
        code: status.DEADLINE_EXCEEDED,
        reason: undefined,
      });
    });

    it('cannot be switched off', async () => {
      const client = await clientOf({});
      await expect(client.validateToken({}, { timeoutMs: Infinity })).rejects.toThrow(RangeError);
    });

    it('is not needed to cancel: the signal does', async () => {
      const calls: ServerCall[] = [];
      const controller = new AbortController();
      const started = hang(calls);
      const client = await clientOf({
        validateToken: (request, call) => {
          setImmediate(() => controller.abort(new Error('enough')));
          return started(request, call);
        },
      });
      const pending = client.validateToken({ realm: 'r', token: '' }, { signal: controller.signal });
      await expect(pending).rejects.toMatchObject({ name: 'CallpassError', code: status.CANCELLED });
    });
  });

  it('sends the token of now with each call', async () => {
    const seen: unknown[] = [];
    let token = 'first';
    const client = await clientOf(
      {
        validateToken: (_request, call) => {
          seen.push(...call.metadata.get('authorization'));
          return {};
        },
      },
      { token: async () => token },
    );
    await client.validateToken({ realm: 'r', token: '' });
    token = 'second';
    await client.validateToken({ realm: 'r', token: '' });
    expect(seen).toEqual(['Bearer first', 'Bearer second']);
  });

  it('says UNAVAILABLE without a reason when nobody listens', async () => {
    const service = await startLocalService({});
    service.stop();
    const client = createCredentialClient({ address: service.address, retry: false });
    open.push(client);
    await expect(client.validateToken({ realm: 'r', token: '' })).rejects.toMatchObject({
      code: status.UNAVAILABLE,
      reason: undefined,
    });
  });

  it('spreads calls over all addresses', async () => {
    const counts = [0, 0];
    const services = await Promise.all(
      [0, 1].map((index) =>
        startLocalService({
          validateToken: () => {
            counts[index] = (counts[index] ?? 0) + 1;
            return {};
          },
        }),
      ),
    );
    const client = createCredentialClient({
      address: `ipv4:${services.map(({ address }) => address).join(',')}`,
    });
    open.push(client, ...services.map(({ stop }) => ({ close: stop })));
    for (let i = 0; i < 20; i++) await client.validateToken({ realm: 'r', token: '' });
    // The first calls may leave before both are connected.
    expect(Math.min(...counts)).toBeGreaterThanOrEqual(5);
  });

  it('refuses calls after close, without trying', async () => {
    const client = await clientOf({ validateToken: () => ({}) });
    client.close();
    await expect(client.validateToken({ realm: 'r', token: '' })).rejects.toMatchObject({
      code: status.CANCELLED,
    });
  });

  it('says of a fault that has no reason where it comes from, with the text that was sent as cause', async () => {
    const client = await clientOf({
      validateToken: () => {
        throw new Error('secret detail');
      },
    });
    const error = (await rejectionOf(client.validateToken({ realm: 'r', token: '' }))) as Error;
    expect(error.message).toContain('has answered INTERNAL without a reason');
    expect(error.cause).toBeInstanceOf(RpcError);
    expect((error.cause as RpcError).message).toBe('internal error');
  });
});

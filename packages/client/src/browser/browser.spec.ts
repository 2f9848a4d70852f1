import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { fetchCredentials, keepCredentials, RefusedError, UnusableAnswerError } from './index.ts';

const NOW = Date.UTC(2026, 10, 25, 9);
const DATE = { date: new Date(NOW).toUTCString() };
const granted = {
  issuanceId: '019ac0de-0000-7000-8000-000000000001',
  callee: 'support@kandy.example',
  credentials: { accountToken: 'A', fromToken: 'F', toToken: 'T', realm: 'support.example' },
  callOptions: { from: 'anonymous@kandy.example' },
  refreshAt: '2026-11-25T09:08:00.000Z',
  expiresAt: '2026-11-25T09:10:00.000Z',
};
const unrestricted = { callee: 'l@k.example', credentials: {}, callOptions: { from: 'a@k.example' } };

beforeEach(() => {
  jest.useFakeTimers({ now: NOW, doNotFake: ['nextTick', 'queueMicrotask', 'setImmediate'] });
});
afterEach(() => {
  jest.useRealTimers();
});

/** Asks an edge that gives this answer. */
function ask(body: unknown, init: ResponseInit = {}, options: { signal?: AbortSignal } = {}) {
  const requests: { url: string; init: RequestInit }[] = [];
  const fetch = (async (url: string, sent: RequestInit) => {
    requests.push({ url, init: sent });
    sent.signal?.throwIfAborted();
    return new Response(JSON.stringify(body), { headers: DATE, ...init });
  }) as typeof globalThis.fetch;
  const answer = fetchCredentials({ url: 'https://edge.example', destination: 'a/b', fetch, ...options });
  return { answer, requests };
}

describe('fetchCredentials', () => {
  it('asks with the visitor’s cookie, never from a cache, and gives the arguments of the call', async () => {
    const { answer, requests } = ask(granted);
    expect(await answer).toEqual({
      issuanceId: granted.issuanceId,
      callee: granted.callee,
      credentials: granted.credentials,
      callOptions: granted.callOptions,
      issuedAtMs: NOW,
      refreshAtMs: NOW + 480_000,
      expiresAtMs: NOW + 600_000,
    });
    expect(requests).toMatchObject([
      {
        url: 'https://edge.example/v1/destinations/a%2Fb/credentials',
        init: { method: 'POST', body: '{}', credentials: 'include', cache: 'no-store' },
      },
    ]);
  });

  it('gives the times on the visitor’s clock, however wrong that is', async () => {
    jest.setSystemTime(NOW + 3_600_000);
    const { expiresAtMs, refreshAtMs } = await ask(granted).answer;
    expect([expiresAtMs, refreshAtMs]).toEqual([NOW + 4_200_000, NOW + 4_080_000]);
  });

  it('gives no tokens and no end for an unrestricted call', async () => {
    expect(await ask(unrestricted).answer).toMatchObject({
      credentials: {},
      refreshAtMs: undefined,
      expiresAtMs: undefined,
    });
  });

  it.each([
    ['null', null],
    ['a list', []],
    ['the vendor’s error in a 200', { message: 'Identifier not found!' }],
    ['no callee', { ...granted, callee: undefined }],
    ['no caller', { ...granted, callOptions: {} }],
    ['no credentials', { ...granted, credentials: undefined }],
    ['a token missing', { ...granted, credentials: { ...granted.credentials, toToken: undefined } }],
    ['an empty token', { ...granted, credentials: { ...granted.credentials, toToken: '' } }],
  ])('rejects %s, so that no call is placed', async (_what, body) => {
    await expect(ask(body).answer).rejects.toThrow(UnusableAnswerError);
  });

  it('rejects a refusal with its reason and when to come back', async () => {
    const problem = {
      reason: 'DESTINATION_CLOSED',
      title: 'closed',
      opensAt: '2026-11-25T10:00:00Z',
      traceId: 't',
    };
    const error = await ask(problem, { status: 403, headers: { 'retry-after': '3600' } }).answer.catch(
      (thrown: unknown) => thrown,
    );
    expect(error).toBeInstanceOf(RefusedError);
    expect(error).toMatchObject({
      message: 'closed',
      refusal: {
        status: 403,
        reason: 'DESTINATION_CLOSED',
        title: 'closed',
        traceId: 't',
        opensAtMs: NOW + 3_600_000,
        retryAfterMs: 3_600_000,
      },
    });
  });

  it.each([undefined, null, 'text', [], { reason: 7, opensAt: 'soon' }])(
    'knows no more than the status of a refusal that says %j',
    async (body) => {
      const headers = { 'retry-after': 'Wed, 25 Nov 2026 10:00:00 GMT' };
      await expect(ask(body, { status: 502, headers }).answer).rejects.toMatchObject({
        refusal: { status: 502 },
      });
    },
  );

  it('rejects with the reason of its signal', async () => {
    const reason = new Error('the visitor hung up');
    await expect(ask(granted, {}, { signal: AbortSignal.abort(reason) }).answer).rejects.toBe(reason);
  });
});

describe('keepCredentials', () => {
  it('asks again from the refresh time on, for another destination, and after a refusal', async () => {
    const asked: string[] = [];
    const keeper = keepCredentials(async (destination) => {
      asked.push(destination);
      return ask(granted).answer;
    });
    const first = await keeper.get('support');
    jest.setSystemTime(NOW + 479_999);
    expect(await keeper.get('support')).toBe(first);
    jest.setSystemTime(NOW + 480_000);
    expect(await keeper.get('support')).not.toBe(first);
    await keeper.get('sales');
    keeper.forget();
    await keeper.get('sales');
    expect(asked).toEqual(['support', 'support', 'sales', 'sales']);
  });

  it('keeps nothing that cannot be refreshed, and nothing of a request that failed', async () => {
    let fails = false;
    const keeper = keepCredentials(async () => {
      if (fails) throw new Error('down');
      return ask(unrestricted).answer;
    });
    const first = await keeper.get('lobby');
    expect(await keeper.get('lobby')).not.toBe(first);
    fails = true;
    await expect(keeper.get('lobby')).rejects.toThrow('down');
    await expect(keeper.get('lobby')).rejects.toThrow('down');
  });
});

import { randomUUID } from 'node:crypto';
import { setTimeout as pause } from 'node:timers/promises';
import { Verdict } from '@callpass/contract';
import { status } from '@grpc/grpc-js';
import { afterEach, describe, expect, it } from '@jest/globals';
import { createCredentialClient } from '../credentials/credential-client.ts';
import {
  refusal,
  rejectionOf,
  startLocalService,
  type CredentialHandlers,
  type LocalService,
} from '../testing/local-service.ts';
import type { ConnectOptions } from '../connection/connect.ts';
import type { RetryOptions } from './retries.ts';

const REQUEST = { realm: 'r', token: '00' };
const ANSWER = { verdict: Verdict.VALID };
const running: { stop(): void }[] = [];
afterEach(() => {
  for (const each of running.splice(0)) each.stop();
});

type Answer = () => Promise<typeof ANSWER>;

/** Instances with these answers, and a client that is connected to all of them. */
async function instances(
  answers: readonly Answer[],
  { retry, coalesce }: Pick<ConnectOptions, 'coalesce'> & { retry?: RetryOptions } = {},
) {
  const asked = answers.map(() => 0);
  let shared = 0;
  let connected = false;
  const services: LocalService[] = [];
  for (const [at, answer] of answers.entries()) {
    const ask: Answer = () => {
      asked[at] = (asked[at] ?? 0) + 1;
      return connected ? answer() : Promise.resolve(ANSWER);
    };
    const issueCredentials: CredentialHandlers['issueCredentials'] = async () => {
      await ask();
      return { grant: { case: 'unrestricted', value: {} } };
    };
    const batchValidateTokens: CredentialHandlers['batchValidateTokens'] = async ({ requests }) => {
      shared += requests.length;
      const response = await answer();
      return { results: requests.map(() => ({ result: { case: 'response' as const, value: response } })) };
    };
    services.push(await startLocalService({ validateToken: ask, issueCredentials, batchValidateTokens }));
  }
  const address = `ipv4:${services.map((service) => service.address).join()}`;
  const client = createCredentialClient({ address, retry: { hedgeAfterMs: 250, ...retry }, coalesce });
  running.push({ stop: () => client.close() }, ...services);
  while (asked.includes(0)) await client.validateToken(REQUEST);
  asked.fill(0);
  connected = true;
  return { client, asked, made: () => asked.reduce((sum, each) => sum + each, 0), shared: () => shared };
}

const answers: Answer = () => Promise.resolve(ANSWER);
const hangs: Answer = () => new Promise(() => undefined);

describe('an instance that hangs', () => {
  it('delays a call that may be repeated by the hedge only, and gets no further call for a second', async () => {
    const { client, asked } = await instances([answers, hangs, answers]);
    const start = performance.now();
    for (let calls = 0; calls < 30; calls++) await client.validateToken(REQUEST);
    expect(performance.now() - start).toBeLessThan(3_000);
    expect(asked[1]).toBe(1);
  });

  it('is left out for calls that may not be repeated too', async () => {
    const { client } = await instances([answers, hangs, answers]);
    for (let calls = 0; calls < 3; calls++) await client.validateToken(REQUEST);
    for (let calls = 0; calls < 9; calls++)
      await client.issueCredentials({ destination: 'd' }, { timeoutMs: 200 });
  });

  it('is asked all the same when there is no other', async () => {
    const { client, asked } = await instances([hangs]);
    for (let calls = 0; calls < 3; calls++)
      await rejectionOf(client.issueCredentials({ destination: 'd' }, { timeoutMs: 300 }));
    expect(asked).toEqual([3]);
  });

  it('fails a call without request id by its deadline, and never has it made twice', async () => {
    const { client, made } = await instances([hangs, hangs]);
    const error = await rejectionOf(client.issueCredentials({ destination: 'd' }, { timeoutMs: 600 }));
    expect(error).toMatchObject({ code: status.DEADLINE_EXCEEDED });
    expect(made()).toBe(1);
    const requestId = randomUUID();
    await rejectionOf(client.issueCredentials({ destination: 'd', requestId }, { timeoutMs: 600 }));
    expect(made()).toBe(3);
  });
});

describe('a service that is overloaded', () => {
  const slow: Answer = async () => await pause(120, ANSWER);

  it('gets one hedge for ten calls at most, once what was saved up is gone', async () => {
    const { client, made } = await instances([slow, slow, slow], {
      retry: { hedgeAfterMs: 20, budgetTokens: 10 },
    });
    for (let round = 0; round < 4; round++)
      await Promise.all(Array.from({ length: 50 }, () => client.validateToken(REQUEST)));
    expect(made()).toBeGreaterThan(200);
    expect(made()).toBeLessThanOrEqual(200 + 5 + 20);
  });

  it('gets one hedge for ten requests at most where they share calls', async () => {
    const { client, shared } = await instances([slow, slow, slow], {
      retry: { hedgeAfterMs: 20, budgetTokens: 100 },
      coalesce: { maxBatch: 25, maxInFlight: 8 },
    });
    for (let round = 0; round < 10; round++)
      await Promise.all(Array.from({ length: 100 }, () => client.validateToken(REQUEST)));
    const hedged = shared() - 1000;
    expect(hedged).toBeGreaterThan(0);
    // What was saved up, a batch more than is left of it, and a tenth.
    expect(hedged).toBeLessThanOrEqual(50 + 25 + 100);
  });

  it('gets no hedges when it says so itself', async () => {
    const overloaded = async () => {
      await pause(60);
      throw refusal(status.RESOURCE_EXHAUSTED, 'OVERLOADED');
    };
    const { client, made } = await instances([overloaded, overloaded], {
      retry: { hedgeAfterMs: 20, budgetTokens: 10 },
    });
    for (let round = 0; round < 5; round++)
      await Promise.all(Array.from({ length: 20 }, () => rejectionOf(client.validateToken(REQUEST))));
    expect(made()).toBeLessThanOrEqual(100 + 5);
  });
});

describe('a refusal', () => {
  it('of one instance is no reason to wait for the other, except for what another may do better', async () => {
    const refuses = async () => {
      await pause(80);
      throw refusal(status.PERMISSION_DENIED, 'FROZEN');
    };
    const shedding = async () => {
      await pause(80);
      throw refusal(status.RESOURCE_EXHAUSTED, 'OVERLOADED');
    };
    const late: Answer = async () => await pause(160, ANSWER);
    const first = await instances([refuses, hangs], { retry: { hedgeAfterMs: 20 } });
    await rejectionOf(first.client.validateToken(REQUEST));
    await expect(rejectionOf(first.client.validateToken(REQUEST))).resolves.toMatchObject({
      reason: 'FROZEN',
    });
    const second = await instances([shedding, late], { retry: { hedgeAfterMs: 20 } });
    await expect(second.client.validateToken(REQUEST)).resolves.toMatchObject(ANSWER);
  });
});

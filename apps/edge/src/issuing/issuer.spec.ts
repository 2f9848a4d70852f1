import { describe, expect, it } from '@jest/globals';
import { createInMemoryCredentialClient } from '@callpass/client/testing';
import type { CredentialClient } from '@callpass/client';
import { createIssuer, type IssueRequest } from './issuer.ts';

const here = () => ({ signal: new AbortController().signal, alone: false });
const request = (subject: string): IssueRequest => ({ destination: 'support', subject });

function start() {
  const client = createInMemoryCredentialClient();
  return {
    client,
    issue: createIssuer({ client, timeoutMs: 1000 }),
    methods: () => client.calls.map(({ method }) => method),
  };
}

describe('the issuer', () => {
  it('asks once for what comes at once, and gives each its own answer', async () => {
    const { client, issue, methods } = start();
    const answers = await Promise.all(['a', 'b', 'c'].map((subject) => issue(request(subject), here())));
    expect(methods()).toEqual(['batchIssueCredentials']);
    expect(client.calls[0]?.request).toMatchObject({
      requests: [{ subject: 'a' }, { subject: 'b' }, { subject: 'c' }],
    });
    expect(new Set(answers.map(({ issuanceId }) => issuanceId)).size).toBe(3);
  });

  it('refuses only whom the service refuses', async () => {
    const { client, issue } = start();
    client.refuseNext({ reason: 'FROZEN' });
    const [first, second] = await Promise.allSettled([
      issue(request('a'), here()),
      issue(request('b'), here()),
    ]);
    expect(first).toMatchObject({ status: 'rejected', reason: { reason: 'FROZEN' } });
    expect(second).toMatchObject({ status: 'fulfilled' });
  });

  it('asks alone for one that is alone, is traced, or may be repeated', async () => {
    const { issue, methods } = start();
    await issue(request('a'), here());
    await Promise.all([
      issue(request('b'), here()),
      issue(request('traced'), { ...here(), alone: true }),
      issue({ ...request('repeatable'), requestId: '0b2f6f5e-7c1b-4f6a-9a55-0d6f0f3f1a11' }, here()),
    ]);
    expect(methods()).toEqual(Array(4).fill('issueCredentials'));
  });

  it('takes 64 in a call at most', async () => {
    const { client, issue } = start();
    await Promise.all(Array.from({ length: 130 }, (_, at) => issue(request(String(at)), here())));
    const sizes = client.calls.map(({ request: asked }) => ('requests' in asked ? asked.requests.length : 1));
    expect(sizes).toEqual([64, 64, 2]);
  });

  it('does not ask for a browser that is gone already', async () => {
    const { client, issue } = start();
    const gone = new AbortController();
    const asked = issue(request('gone'), { signal: gone.signal, alone: false });
    gone.abort();
    await expect(asked).rejects.toThrow(/gone/);
    expect(client.calls).toEqual([]);
  });

  it('fails all where the call fails, and cancels it when the last browser is gone, not before', async () => {
    const failed = new Error('the call failed');
    let signal: AbortSignal | undefined;
    const call = Promise.withResolvers<never>();
    const client = {
      ...createInMemoryCredentialClient(),
      batchIssueCredentials: (_request, options) => {
        signal = options?.signal;
        return call.promise;
      },
    } satisfies CredentialClient as CredentialClient;
    const issue = createIssuer({ client, timeoutMs: 1000 });
    const browsers = [new AbortController(), new AbortController()];
    const asked = Promise.allSettled(
      browsers.map(({ signal }, at) => issue(request(String(at)), { signal, alone: false })),
    );
    await new Promise((resolve) => setImmediate(resolve));
    browsers[0]?.abort();
    expect(signal?.aborted).toBe(false);
    browsers[1]?.abort();
    expect(signal?.aborted).toBe(true);
    call.reject(failed);
    expect(await asked).toEqual([1, 2].map(() => ({ status: 'rejected', reason: failed })));
  });
});

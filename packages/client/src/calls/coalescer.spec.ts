import { AsyncLocalStorage } from 'node:async_hooks';
import { create, toBinary } from '@bufbuild/protobuf';
import { timestampFromMs } from '@bufbuild/protobuf/wkt';
import {
  BatchValidateCredentialsRequestSchema,
  BatchValidateTokensRequestSchema,
  TokenKind,
  Verdict,
  type IssueCredentialsRequest,
} from '@callpass/contract';
import { RpcError, type ServerCall } from '@callpass/grpc-kit';
import { afterEach, describe, expect, it } from '@jest/globals';
import { status } from '@grpc/grpc-js';
import type { ConnectOptions } from '../connection/connect.ts';
import { createCredentialClient, type CredentialClient } from '../credentials/credential-client.ts';
import {
  frozenTiming,
  refusal,
  startLocalService,
  type CredentialHandlers,
} from '../testing/local-service.ts';
import { coalesceAttempts } from './coalescer.ts';

const ID = (n: number) => `0198c0de-0000-7000-8000-00000000000${n}`;

const issued = (issuanceId: string) =>
  ({
    issuanceId,
    grant: {
      case: 'timeLimited',
      value: { accountToken: 'AA', fromToken: 'BB', toToken: 'CC', realm: 'support.example' },
    },
    issueTime: timestampFromMs(1_000),
    expireTime: timestampFromMs(601_000),
    refreshTime: timestampFromMs(481_000),
  }) as const;

const open: { close(): void }[] = [];
afterEach(() => {
  for (const each of open.splice(0)) each.close();
});

interface Rpc {
  readonly requests: readonly IssueCredentialsRequest[];
  readonly call: ServerCall;
}

type Outcome = ReturnType<typeof issued> | RpcError;

/** A service that notes its RPCs, and a client of it that coalesces. */
async function start({
  decide = ({ destination }) => issued(destination),
  before = () => undefined,
  handlers = {},
  options = {},
}: {
  /** Outcome of each request. */
  decide?: (request: IssueCredentialsRequest) => Outcome;
  /** Runs at the start of each RPC, which fails if this does. */
  before?: (rpc: Rpc, index: number) => Promise<void> | void;
  handlers?: Partial<CredentialHandlers>;
  options?: Partial<ConnectOptions>;
} = {}) {
  const rpcs: Rpc[] = [];
  const begin = async (rpc: Rpc) => before(rpc, rpcs.push(rpc) - 1);
  const service = await startLocalService({
    async issueCredentials(request, call) {
      await begin({ requests: [request], call });
      const outcome = decide(request);
      if (outcome instanceof RpcError) throw outcome;
      return outcome;
    },
    async batchIssueCredentials({ requests }, call) {
      await begin({ requests, call });
      return {
        results: requests.map((request) => {
          const outcome = decide(request);
          return outcome instanceof RpcError
            ? { result: { case: 'status' as const, value: statusOf(outcome) } }
            : { result: { case: 'response' as const, value: outcome } };
        }),
      };
    },
    ...handlers,
  });
  const client = createCredentialClient({
    address: service.address,
    coalesce: true,
    timing: frozenTiming(),
    ...options,
  });
  open.push(client, { close: service.stop });
  return { client, rpcs, sizes: () => rpcs.map(({ requests }) => requests.length) };
}

function statusOf({ code, message, details }: RpcError) {
  return { code, message, details: [...details] };
}

function issueAll(client: CredentialClient, count: number, from = 0) {
  return Promise.all(
    Array.from({ length: count }, (_, at) => client.issueCredentials({ destination: `d${from + at}` })),
  );
}

const until = async (holds: () => boolean) => {
  while (!holds()) await new Promise((resolve) => setImmediate(resolve));
};

describe('a client that coalesces', () => {
  it('sends a lone request alone, as one that does not', async () => {
    const { client, rpcs } = await start();
    await client.issueCredentials({ destination: 'support' });
    await client.issueCredentials({ destination: 'support' });
    expect(rpcs.map(({ call }) => call.method.localName)).toEqual(['issueCredentials', 'issueCredentials']);
  });

  it('sends what is asked for at once together, and gives each its own answer', async () => {
    const { client, sizes } = await start();
    const answers = await issueAll(client, 5);
    expect(answers.map(({ issuanceId }) => issuanceId)).toEqual(['d0', 'd1', 'd2', 'd3', 'd4']);
    expect(sizes()).toEqual([5]);
  });

  it('lets what is asked for meanwhile share the next RPC, within the bounds', async () => {
    const gate = Promise.withResolvers<void>();
    const { client, sizes } = await start({
      options: { coalesce: { maxBatch: 3, maxInFlight: 1 } },
      before: (_rpc, index) => (index === 0 ? gate.promise : undefined),
    });
    const first = client.issueCredentials({ destination: 'first' });
    await until(() => sizes().length === 1);
    const others = issueAll(client, 4);
    gate.resolve();
    await Promise.all([first, others]);
    expect(sizes()).toEqual([1, 3, 1]);
  });

  it('refuses only whom the service refuses, with the reason and the time to wait', async () => {
    const { client } = await start({
      decide: ({ destination }) =>
        destination === 'd1' ? refusal(status.FAILED_PRECONDITION, 'FROZEN') : issued(destination),
    });
    const outcomes = await Promise.allSettled(
      ['d0', 'd1', 'd2'].map((destination) => client.issueCredentials({ destination })),
    );
    expect(outcomes.map(({ status }) => status)).toEqual(['fulfilled', 'rejected', 'fulfilled']);
    expect(outcomes[1]).toMatchObject({ reason: { name: 'CallpassError', reason: 'FROZEN' } });
  });

  it('ends each at its own time limit; the others get their answers', async () => {
    const gate = Promise.withResolvers<void>();
    const { client } = await start({ before: () => gate.promise });
    const patient = client.issueCredentials({ destination: 'patient' });
    const hurried = client.issueCredentials({ destination: 'hurried' }, { timeoutMs: 20 });
    await expect(hurried).rejects.toMatchObject({ name: 'CallpassError', code: status.DEADLINE_EXCEEDED });
    gate.resolve();
    expect(await patient).toMatchObject({ issuanceId: 'patient' });
  });

  it('cancels the RPC when nobody waits any more, not before, and keeps the reason of each', async () => {
    const gate = Promise.withResolvers<void>();
    const { client, rpcs } = await start({ before: () => gate.promise });
    const callers = [new AbortController(), new AbortController()];
    const outcomes = Promise.allSettled(
      callers.map(({ signal }, at) => client.issueCredentials({ destination: `d${at}` }, { signal })),
    );
    await until(() => rpcs.length === 1);
    const { call } = rpcs[0] as Rpc;
    const reason = new Error('first left');
    callers[0]?.abort(reason);
    expect(call.cancelled).toBe(false);
    callers[1]?.abort();
    await until(() => call.cancelled);
    gate.resolve();
    expect(await outcomes).toMatchObject([
      { reason: { code: status.CANCELLED, cause: reason } },
      { reason: { code: status.CANCELLED } },
    ]);
  });

  it('does not send what was aborted before it could be sent', async () => {
    const { client, rpcs } = await start();
    const gone = new AbortController();
    const asked = client.issueCredentials({ destination: 'gone' }, { signal: gone.signal });
    gone.abort();
    await expect(asked).rejects.toMatchObject({ code: status.CANCELLED });
    await expect(
      client.issueCredentials({ destination: 'gone' }, { signal: gone.signal }),
    ).rejects.toMatchObject({ code: status.CANCELLED });
    expect(rpcs).toEqual([]);
  });

  it('repeats after a lost RPC what has a request id, and nothing else', async () => {
    const { client, rpcs } = await start({
      before: (_rpc, index) => {
        if (index === 0) throw refusal(status.UNAVAILABLE, 'STORE_UNAVAILABLE');
      },
    });
    const [repeatable, other, once] = await Promise.allSettled([
      client.issueCredentials({ destination: 'd0', requestId: ID(0) }),
      client.issueCredentials({ destination: 'd1', requestId: ID(1) }),
      client.issueCredentials({ destination: 'd2' }),
    ]);
    expect([repeatable.status, other.status]).toEqual(['fulfilled', 'fulfilled']);
    expect(once).toMatchObject({ reason: { code: status.UNAVAILABLE, reason: 'STORE_UNAVAILABLE' } });
    const repeated = rpcs.slice(1).flatMap(({ requests }) => requests);
    expect(repeated.map(({ requestId }) => requestId).sort()).toEqual([ID(0), ID(1)]);
  });

  it('repeats a request that alone was unavailable in a batch, if it has a request id', async () => {
    let asked = 0;
    const { client } = await start({
      decide: ({ destination }) =>
        destination === 'd1' && asked++ === 0
          ? refusal(status.UNAVAILABLE, 'STORE_UNAVAILABLE')
          : issued(destination),
    });
    const [, second] = await Promise.all([
      client.issueCredentials({ destination: 'd0', requestId: ID(0) }),
      client.issueCredentials({ destination: 'd1', requestId: ID(1) }),
    ]);
    expect([second.issuanceId, asked]).toEqual(['d1', 2]);
  });

  it.each([
    ['does not know batches', new RpcError(status.UNIMPLEMENTED, 'unknown method')],
    ['finds the batch too large', refusal(status.RESOURCE_EXHAUSTED, 'REQUEST_TOO_LARGE')],
  ])('sends each alone where a service %s', async (_name, error) => {
    const { client, sizes } = await start({
      handlers: {
        batchIssueCredentials: () => {
          throw error;
        },
      },
    });
    expect((await issueAll(client, 3)).map(({ issuanceId }) => issuanceId)).toEqual(['d0', 'd1', 'd2']);
    expect(sizes()).toEqual([1, 1, 1]);
  });

  it('sends a request that waited in the asynchronous context of its caller', async () => {
    const caller = new AsyncLocalStorage<string>();
    const ask = coalesceAttempts(
      { single: async () => caller.getStore(), batch: async () => [], largestBatch: 256 },
      { maxBatch: 1, maxInFlight: 1 },
    );
    const callers = ['first', 'second'];
    const answers = callers.map((name) => caller.run(name, () => ask(undefined, { timeoutMs: 1_000 })));
    expect(await Promise.all(answers)).toEqual(callers);
  });

  it('fails each as alone when the service refuses the whole batch', async () => {
    const { client, sizes } = await start({
      before: () => {
        throw refusal(status.UNAUTHENTICATED, 'CLIENT_UNKNOWN');
      },
    });
    const outcomes = await Promise.allSettled(
      [0, 1].map((at) => client.issueCredentials({ destination: `d${at}` })),
    );
    expect(outcomes).toMatchObject(Array(2).fill({ reason: { reason: 'CLIENT_UNKNOWN' } }));
    expect(sizes()).toEqual([2]);
  });

  it('lets an RPC that hangs hold nobody back for long', async () => {
    const gate = Promise.withResolvers<void>();
    const { client, rpcs } = await start({
      options: { coalesce: { maxInFlight: 1 } },
      before: (_rpc, index) => (index === 0 ? gate.promise : undefined),
    });
    const hanging = client.issueCredentials({ destination: 'hanging' });
    await until(() => rpcs.length === 1);
    await expect(client.issueCredentials({ destination: 'next' })).resolves.toMatchObject({
      issuanceId: 'next',
    });
    gate.resolve();
    await hanging;
  });

  it('gives a call an RPC of its own on request', async () => {
    const { client, sizes } = await start();
    await Promise.all([
      issueAll(client, 2),
      client.issueCredentials({ destination: 'own' }, { coalesce: false }),
    ]);
    expect(sizes().sort()).toEqual([1, 2]);
  });

  it('refuses an answer without tokens in a batch too', async () => {
    const { client } = await start({
      decide: ({ destination }) =>
        ({ ...issued(destination), grant: { case: undefined } }) as unknown as Outcome,
    });
    const outcomes = await Promise.allSettled(
      [0, 1].map((at) => client.issueCredentials({ destination: `d${at}` })),
    );
    expect(outcomes).toMatchObject(Array(2).fill({ reason: { code: status.INTERNAL } }));
  });

  it('validates together what is asked for at once, each with its own verdict or error', async () => {
    const methods: string[] = [];
    const note = ({ method }: ServerCall) => methods.push(method.name);
    const { code, message, details } = refusal(status.NOT_FOUND, 'REALM_UNKNOWN');
    const unknown = { result: { case: 'status' as const, value: { code, message, details: [...details] } } };
    const valid = { result: { case: 'response' as const, value: { verdict: Verdict.VALID } } };
    const { client } = await start({
      handlers: {
        validateToken: (_request, call) => (note(call), { verdict: Verdict.VALID }),
        batchValidateTokens: ({ requests }, call) => {
          note(call);
          return { results: requests.map(({ realm }) => (realm === 'none' ? unknown : valid)) };
        },
        batchValidateCredentials: ({ requests }, call) => {
          note(call);
          return { results: requests.map(() => valid) };
        },
      },
    });
    const tokens = ['r', 'none', 'r'].map((realm) => client.validateToken({ realm, token: 'AB' }));
    expect(await Promise.allSettled(tokens)).toMatchObject([
      { value: { verdict: Verdict.VALID } },
      { reason: { reason: 'REALM_UNKNOWN', code: status.NOT_FOUND } },
      { value: { verdict: Verdict.VALID } },
    ]);
    const sets = [1, 2].map(() => client.validateCredentials({ timeLimited: {} }));
    expect(await Promise.all(sets)).toMatchObject(Array(2).fill({ verdict: Verdict.VALID }));
    await client.validateToken({ realm: 'r', token: 'AB' });
    expect(methods).toEqual(['BatchValidateTokens', 'BatchValidateCredentials', 'ValidateToken']);
  });

  it('validates one by one at a service that knows no batches of them', async () => {
    const methods: string[] = [];
    const { client } = await start({
      handlers: {
        validateToken: (_request, { method }) => (methods.push(method.name), { verdict: Verdict.VALID }),
        batchValidateTokens(_request, { method }) {
          methods.push(method.name);
          throw new RpcError(status.UNIMPLEMENTED, 'unknown');
        },
      },
    });
    const both = () => Promise.all([1, 2].map(() => client.validateToken({ realm: 'r', token: 'AB' })));
    expect(await both()).toMatchObject(Array(2).fill({ verdict: Verdict.VALID }));
    expect(methods).toEqual(['BatchValidateTokens', 'ValidateToken', 'ValidateToken']);
    // It is not asked again soon.
    await both();
    expect(methods.slice(3)).toEqual(['ValidateToken', 'ValidateToken']);
  });

  it('repeats every request of an RPC that is lost', async () => {
    let lost = 0;
    const { client } = await start({
      // All share a clock, which must not run away with their pauses.
      options: { timing: frozenTiming(0) },
      handlers: {
        validateToken: () => ({ verdict: Verdict.VALID }),
        batchValidateTokens({ requests }) {
          if (lost++ === 0) throw refusal(status.UNAVAILABLE, 'STORE_UNAVAILABLE');
          return {
            results: requests.map(() => ({
              result: { case: 'response' as const, value: { verdict: Verdict.VALID } },
            })),
          };
        },
      },
    });
    const asked = Array.from({ length: 128 }, () => client.validateToken({ realm: 'r', token: 'AB' }));
    expect(await Promise.all(asked)).toHaveLength(128);
    expect(lost).toBeGreaterThan(1);
  });

  it('fails the one request that cannot be encoded, and none of the others', async () => {
    const { client } = await start({
      handlers: {
        validateToken: () => ({ verdict: Verdict.VALID }),
        batchValidateTokens: () => ({ results: [] }),
      },
    });
    const kinds = [TokenKind.TO, NaN as TokenKind, TokenKind.FROM];
    const asked = kinds.map((kind) => client.validateToken({ realm: 'r', token: 'AB', kind }));
    expect(await Promise.allSettled(asked)).toMatchObject([
      { value: { verdict: Verdict.VALID } },
      { reason: { name: 'RequestEncodingError' } },
      { value: { verdict: Verdict.VALID } },
    ]);
  });

  it('keeps within what the message of a batch holds, however large its requests are', async () => {
    const sizes: number[] = [];
    const valid = { result: { case: 'response' as const, value: { verdict: Verdict.VALID } } };
    const { client } = await start({
      options: { coalesce: { maxBatch: 256, maxInFlight: 1 } },
      handlers: {
        batchValidateTokens({ requests }) {
          sizes.push(
            toBinary(BatchValidateTokensRequestSchema, create(BatchValidateTokensRequestSchema, { requests }))
              .length,
          );
          return { results: requests.map(() => valid) };
        },
        batchValidateCredentials({ requests }) {
          const schema = BatchValidateCredentialsRequestSchema;
          sizes.push(toBinary(schema, create(schema, { requests })).length);
          return { results: requests.map(() => valid) };
        },
        validateCredentials: () => ({ verdict: Verdict.VALID }),
        validateToken: () => ({ verdict: Verdict.VALID }),
      },
    });
    const [realm, token, user] = ['r'.repeat(128), 'A'.repeat(4096), 'u'.repeat(256)];
    const timeLimited = { realm, accountToken: token, fromToken: token, toToken: token };
    await Promise.all(
      Array.from({ length: 300 }, () => [
        client.validateToken({
          realm,
          token,
          kind: TokenKind.TO,
          requireIssuedHere: true,
          ignoreExpiry: true,
        }),
        client.validateCredentials({
          timeLimited,
          expectedCallee: user,
          expectedCaller: user,
          requireIssuedHere: true,
        }),
      ]).flat(),
    );
    expect(sizes.length).toBeGreaterThan(4);
    expect(Math.max(...sizes)).toBeLessThanOrEqual(1024 * 1024);
  });

  it('fails what waits when it is closed', async () => {
    const { client } = await start();
    const asked = client.issueCredentials({ destination: 'd' });
    client.close();
    await expect(asked).rejects.toMatchObject({ code: status.CANCELLED });
  });

  it.each([{ maxBatch: 0 }, { maxBatch: 257 }, { maxBatch: 1.5 }, { maxInFlight: 0 }, { maxInFlight: NaN }])(
    'does not take %j',
    (coalesce) => {
      expect(() => createCredentialClient({ address: '127.0.0.1:1', coalesce })).toThrow(RangeError);
    },
  );
});

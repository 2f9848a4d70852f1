import { afterEach, describe, expect, it } from '@jest/globals';
import { LedgerService } from '@callpass/contract';
import { addService, type Handlers, RpcError } from '@callpass/grpc-kit';
import { Server, ServerCredentials, status } from '@grpc/grpc-js';
import { createLedgerClient, type LedgerClient } from './operator-clients.ts';
import { frozenTiming, refusal, rejectionOf } from './testing/local-service.ts';

const open: { close(): void }[] = [];
afterEach(() => {
  for (const each of open.splice(0)) each.close();
});

const unanswered = () => {
  throw new RpcError(status.UNIMPLEMENTED, 'not part of this test');
};

async function ledgerOf(handlers: Partial<Handlers<typeof LedgerService>>): Promise<LedgerClient> {
  const server = new Server();
  const rest = {
    listEntries: unanswered,
    verifyLedger: unanswered,
    getAnchor: unanswered,
    removeEntries: unanswered,
  };
  // eslint-disable-next-line require-yield
  const tailEntries = async function* () {
    throw refusal(status.PERMISSION_DENIED, 'CLIENT_NOT_GRANTED');
  };
  const streams = { tailEntries, summarizeEntries: tailEntries };
  addService(server, LedgerService, { ...streams, ...rest, ...handlers });
  const port = await new Promise<number>((resolve, reject) => {
    server.bindAsync('127.0.0.1:0', ServerCredentials.createInsecure(), (error, bound) => {
      if (error) reject(error);
      else resolve(bound);
    });
  });
  // A stream outlives the time limit of ordinary calls.
  const options = { address: `127.0.0.1:${port}`, timing: frozenTiming(), defaultTimeoutMs: 1 };
  const client = createLedgerClient(options);
  open.push(client, { close: () => server.forceShutdown() });
  return client;
}

async function firstOf<T>(stream: AsyncIterable<T>): Promise<T | undefined> {
  for await (const each of stream) return each;
  return undefined;
}

describe('createLedgerClient', () => {
  it('streams what is written without a time limit, until the caller leaves', async () => {
    const left = Promise.withResolvers<void>();
    const client = await ledgerOf({
      async *tailEntries({ destination }, call) {
        call.signal.addEventListener('abort', () => left.resolve());
        yield { entry: { destination } };
        await left.promise;
      },
    });
    expect(await firstOf(client.tailEntries({ destination: 'support' }))).toMatchObject({
      entry: { destination: 'support' },
    });
    await left.promise;
  });

  it('ends a stream with CANCELLED when the signal aborts', async () => {
    const client = await ledgerOf({
      // eslint-disable-next-line require-yield
      async *tailEntries(_request, call) {
        await new Promise((resolve) => call.signal.addEventListener('abort', resolve));
      },
    });
    const controller = new AbortController();
    const ended = rejectionOf(firstOf(client.tailEntries({}, { signal: controller.signal })));
    controller.abort();
    expect(await ended).toMatchObject({ name: 'CallpassError', code: status.CANCELLED });
  });

  it('gives the reason of a stream that is refused', async () => {
    const client = await ledgerOf({});
    expect(await rejectionOf(firstOf(client.tailEntries({})))).toMatchObject({
      name: 'CallpassError',
      reason: 'CLIENT_NOT_GRANTED',
    });
  });

  it('asks again for a page after UNAVAILABLE, and never again to remove', async () => {
    const asked: string[] = [];
    const failing = (name: string) => () => {
      asked.push(name);
      throw refusal(status.UNAVAILABLE, 'STORE_UNAVAILABLE');
    };
    const client = await ledgerOf({
      listEntries: failing('list'),
      removeEntries: failing('remove'),
    });
    await rejectionOf(client.listEntries({}, { timeoutMs: 60_000 }));
    await rejectionOf(client.removeEntries({}, { timeoutMs: 60_000 }));
    expect(asked).toEqual(['list', 'list', 'list', 'list', 'remove']);
  });
});

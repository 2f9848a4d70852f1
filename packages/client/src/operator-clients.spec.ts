import { afterEach, describe, expect, it } from '@jest/globals';
import { LedgerService } from '@callpass/contract';
import { addService, type Handlers, RpcError } from '@callpass/grpc-kit';
import { Server, ServerCredentials, status } from '@grpc/grpc-js';
import { createLedgerClient, type LedgerClient } from './operator-clients.ts';
import { frozenTiming, refusal, rejectionOf } from './testing/local-service.ts';

const open: { close(): void }[] = [];
let timing: ReturnType<typeof frozenTiming>;
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
  timing = frozenTiming();
  const options = { address: `127.0.0.1:${port}`, timing, defaultTimeoutMs: 1 };
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

  describe('followEntries', () => {
    type Stream = Handlers<typeof LedgerService>['tailEntries'];
    const entry = (writerId: string, sequence: bigint) => ({ entry: { writerId, sequence } });
    const at = (chains: Record<string, bigint>) => ({
      positions: { chains: Object.entries(chains).map(([writerId, sequence]) => ({ writerId, sequence })) },
    });

    /** A ledger whose streams go one after the other, and that refuses further ones; notes where each was to begin. */
    async function streamsOf(...streams: Stream[]) {
      const begun: unknown[] = [];
      const client = await ledgerOf({
        tailEntries(request, call) {
          begun.push(request.after?.chains.map(({ writerId, sequence }) => `${writerId} ${sequence}`));
          const next = streams.shift() ?? refused;
          return next(request, call);
        },
      });
      return { client, begun };
    }
    // eslint-disable-next-line require-yield
    const refused: Stream = async function* () {
      throw refusal(status.PERMISSION_DENIED, 'CLIENT_NOT_GRANTED');
    };

    it.each([
      ['the server ends the stream', undefined],
      ['the connection breaks', new RpcError(status.UNAVAILABLE, 'gone')],
      ['the server cancels', new RpcError(status.CANCELLED, 'cut off')],
      ['its certificate is over', refusal(status.UNAUTHENTICATED, 'CLIENT_UNKNOWN')],
      ['the store is away', refusal(status.UNAVAILABLE, 'STORE_UNAVAILABLE')],
    ])('goes on in each chain where it was when %s', async (_what, error) => {
      const got: string[] = [];
      const { client, begun } = await streamsOf(
        async function* () {
          yield at({ a: 4n, b: 0n });
          yield at({ b: 9n });
          yield entry('a', 5n);
          // An error overtakes what has not been read.
          while (got.length === 0) await new Promise(setImmediate);
          if (error) throw error;
        },
        async function* () {
          yield at({});
          yield entry('a', 6n);
          yield entry('c', 1n);
        },
      );
      const interruptions: unknown[] = [];
      const following = (async () => {
        for await (const { writerId, sequence } of client.followEntries(
          {},
          { onInterrupted: (each) => interruptions.push(each?.code) },
        ))
          got.push(`${writerId} ${sequence}`);
      })();
      expect(await rejectionOf(following)).toMatchObject({ reason: 'CLIENT_NOT_GRANTED' });
      expect(got).toEqual(['a 5', 'a 6', 'c 1']);
      expect(begun).toEqual([undefined, ['a 5', 'b 9'], ['a 6', 'b 9', 'c 1']]);
      expect(interruptions).toEqual([error?.code, undefined]);
    });

    it('fails at once where the first stream is refused or breaks', async () => {
      for (const code of [status.UNAVAILABLE, status.UNAUTHENTICATED] as const) {
        const { client, begun } = await streamsOf(() => {
          throw refusal(code, 'CLIENT_UNKNOWN');
        });
        expect(await rejectionOf(firstOf(client.followEntries()))).toMatchObject({ code });
        expect(begun).toHaveLength(1);
      }
    });

    it.each([
      [status.UNAUTHENTICATED, 'CLIENT_UNKNOWN', 5_000],
      [status.UNAVAILABLE, 'STORE_UNAVAILABLE', 60_000],
    ] as const)(
      'gives up with the error where each stream is refused with %s %s',
      async (code, reason, ms) => {
        const failing: Stream = () => {
          throw refusal(code, reason);
        };
        const { client } = await streamsOf(
          async function* () {
            yield at({});
          },
          ...Array.from({ length: 100 }, () => failing),
        );
        expect(await rejectionOf(firstOf(client.followEntries()))).toMatchObject({ reason });
        const waitedMs = timing.pauses.reduce((sum, pause) => sum + pause, 0);
        expect(waitedMs).toBeGreaterThanOrEqual(ms);
        expect(waitedMs).toBeLessThan(ms + 2_100);
      },
    );
  });
});

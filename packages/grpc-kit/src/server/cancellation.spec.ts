import { afterEach, describe, expect, it } from '@jest/globals';
import { status } from '@grpc/grpc-js';
import { createClient } from '../client/create-client.ts';
import { RpcError } from '../error/rpc-error.ts';
import { collect, rejectionOf, type RunningServer, startEcho, streamOf } from '../testing/echo.ts';
import { EchoService } from '../testing/gen/kit/v1/echo_pb.ts';
import type { ServerCall } from './server-call.ts';

let running: RunningServer;
afterEach(() => running.stop());
const client = () => createClient(EchoService, running.connection);

/** A handler's wait for the end of its call; resolves with why it ended. */
function ended(call: ServerCall): Promise<unknown> {
  return new Promise((resolve) => {
    if (call.signal.aborted) resolve(call.signal.reason);
    call.signal.addEventListener('abort', () => resolve(call.signal.reason));
  });
}

describe('cancellation', () => {
  it('ends a call at its deadline on both sides', async () => {
    const reason = Promise.withResolvers<unknown>();
    running = await startEcho({
      say: async (_request, call) => {
        reason.resolve(await ended(call));
        return { text: 'too late' };
      },
    });
    await client().join(streamOf()); // connected from here on, so that the deadline is not spent on it
    const error = await rejectionOf(client().say({}, { timeoutMs: 300 }));
    expect(error).toBeInstanceOf(RpcError);
    expect(error).toMatchObject({ code: status.DEADLINE_EXCEEDED });
    expect([status.DEADLINE_EXCEEDED, status.CANCELLED]).toContain(((await reason.promise) as RpcError).code);
  });

  it('sets the deadline of the connection where a call sets none', async () => {
    const deadlines: (Date | undefined)[] = [];
    running = await startEcho(
      {
        say: (_request, call) => {
          deadlines.push(call.deadline);
          return {};
        },
      },
      {},
      { defaultDeadlineMs: 60_000 },
    );
    const before = Date.now();
    await client().say({});
    await client().say({}, { timeoutMs: Infinity });
    expect(deadlines[0]!.getTime() - before).toBeGreaterThan(50_000);
    expect(deadlines[0]!.getTime() - before).toBeLessThan(61_000);
    expect(deadlines[1]).toBeUndefined();
  });

  it.each([25 * 86_400_000, 1e15, Number.MAX_VALUE])(
    'gives a call of any kind all the time of a limit of %d ms, which is longer than a timer',
    async (timeoutMs) => {
      const leftMs: number[] = [];
      const note = async (call: ServerCall) => {
        leftMs.push(call.deadline!.getTime() - Date.now());
        // A limit that is over at once would be reported by now.
        await new Promise((resolve) => setTimeout(resolve, 50));
      };
      running = await startEcho({}, { interceptors: [(call, next) => note(call).then(() => next(call))] });
      const options = { timeoutMs };
      await client().say({}, options);
      await collect(client().repeat({ times: 1 }, options));
      await client().join(streamOf({}), options);
      await collect(client().chat(streamOf({}), options));
      expect(leftMs).toHaveLength(4);
      for (const left of leftMs) expect(left / 86_400_000).toBeCloseTo(24.8, 0);
    },
  );

  it('reaches the handler when the caller aborts a unary call', async () => {
    const started = Promise.withResolvers<void>();
    const reason = Promise.withResolvers<unknown>();
    running = await startEcho({
      say: async (_request, call) => {
        started.resolve();
        reason.resolve(await ended(call));
        return {};
      },
    });
    const abort = new AbortController();
    const answer = rejectionOf(client().say({}, { signal: abort.signal }));
    await started.promise;
    abort.abort('enough');
    expect(await answer).toMatchObject({ code: status.CANCELLED, cause: 'enough' });
    expect(await reason.promise).toMatchObject({ code: status.CANCELLED });
  });

  it('does not start a call whose signal has aborted', async () => {
    let reached = false;
    running = await startEcho({
      say: () => {
        reached = true;
        return {};
      },
    });
    const signal = AbortSignal.abort('no');
    expect(await rejectionOf(client().say({}, { signal }))).toMatchObject({ code: status.CANCELLED });
    expect(await rejectionOf(collect(client().repeat({}, { signal })))).toMatchObject({
      code: status.CANCELLED,
    });
    expect(reached).toBe(false);
  });

  it('reaches a stream whose signal aborts while it is being opened', async () => {
    running = await startEcho({
      // eslint-disable-next-line require-yield
      async *repeat(_request, call) {
        await ended(call);
      },
    });
    const abort = new AbortController();
    const answer = rejectionOf(collect(client().repeat({}, { signal: abort.signal })));
    abort.abort('enough');
    expect(await answer).toMatchObject({ code: status.CANCELLED, cause: 'enough' });
  });

  it('ends the handler of a stream that the client leaves early', async () => {
    const finished = Promise.withResolvers<unknown>();
    running = await startEcho({
      async *repeat({ text }, call) {
        try {
          yield { text };
          await ended(call);
          yield { text: 'after the end' };
        } finally {
          finished.resolve(call.signal.reason);
        }
      },
    });
    for await (const { text } of client().repeat({ text: 'a' })) {
      expect(text).toBe('a');
      break;
    }
    expect(await finished.promise).toMatchObject({ code: status.CANCELLED });
  });

  it('ends a handler that never looks at its signal, at its next answer', async () => {
    const finished = Promise.withResolvers<void>();
    running = await startEcho({
      async *repeat({ text }) {
        try {
          for (;;) yield { text };
        } finally {
          finished.resolve();
        }
      },
    });
    for await (const answer of client().repeat({ text: 'a' })) {
      expect(answer.text).toBe('a');
      break;
    }
    await finished.promise;
  });

  it('ends the requests of a handler with an error, so that a cut stream is not taken for a whole one', async () => {
    const seen = Promise.withResolvers<unknown>();
    const first = Promise.withResolvers<void>();
    running = await startEcho({
      async join(requests) {
        try {
          for await (const request of requests) {
            expect(request.text).toBe('a');
            first.resolve();
          }
          seen.resolve('whole');
        } catch (error) {
          seen.resolve(error);
        }
        return {};
      },
    });
    const abort = new AbortController();
    const requests = async function* () {
      yield { text: 'a' };
      await new Promise(() => {});
    };
    const answer = rejectionOf(client().join(requests(), { signal: abort.signal }));
    await first.promise;
    abort.abort();
    expect(await answer).toMatchObject({ code: status.CANCELLED });
    expect(await seen.promise).toMatchObject({ code: status.CANCELLED });
  });

  it('does not abort the signal of a call that has ended well', async () => {
    let signal: AbortSignal | undefined;
    running = await startEcho({
      say: (_request, call) => {
        signal = call.signal;
        return {};
      },
    });
    await client().say({});
    await client().say({});
    expect(signal!.aborted).toBe(false);
  });

  it('aborts the signal of a stream that is abandoned, whose handler would go on for ever', async () => {
    const over = new RpcError(status.UNAVAILABLE, 'over');
    const reason = Promise.withResolvers<unknown>();
    const calls: ServerCall[] = [];
    running = await startEcho(
      {
        async *repeat({ text }, call) {
          yield { text };
          calls[0]?.abandon(over);
          reason.resolve(await ended(call));
        },
      },
      {
        interceptors: [
          (call, next) => {
            calls.push(call);
            return next(call);
          },
        ],
      },
    );
    const error = await rejectionOf(collect(client().repeat({ text: 'a' })));
    expect(error).toMatchObject({ code: status.UNAVAILABLE, message: 'over' });
    expect(await reason.promise).toBe(over);
  });

  it('is the outcome when the own requests of a caller fail, and the caller sees why', async () => {
    const finished = Promise.withResolvers<unknown>();
    running = await startEcho({
      async *chat(requests) {
        try {
          for await (const { text } of requests) yield { text };
        } catch (error) {
          finished.resolve(error);
          throw error;
        }
      },
    });
    const own = new Error('the source broke');
    const reached = Promise.withResolvers<void>();
    const requests = async function* () {
      yield { text: 'a' };
      await reached.promise;
      throw own;
    };
    const answers = client().chat(requests())[Symbol.asyncIterator]();
    expect((await answers.next()).value).toMatchObject({ text: 'a' });
    reached.resolve();
    expect(await rejectionOf(answers.next())).toBe(own);
    expect(await finished.promise).toMatchObject({ code: status.CANCELLED });
    expect(await rejectionOf(client().join(requests()))).toBe(own);
  });
});

import { status } from '@grpc/grpc-js';
import { afterEach, describe, expect, it } from '@jest/globals';
import type { ClientInterceptor } from '../client/client-call.ts';
import { createClient } from '../client/create-client.ts';
import { RpcError } from '../error/rpc-error.ts';
import { collect, rejectionOf, type RunningServer, startEcho, streamOf } from '../testing/echo.ts';
import { EchoService } from '../testing/gen/kit/v1/echo_pb.ts';
import { createCallKey } from './call-state.ts';
import type { ServerInterceptor } from './interceptor.ts';

let running: RunningServer;
afterEach(() => running.stop());
const client = () => createClient(EchoService, running.connection);

async function callAllKinds(): Promise<unknown[]> {
  const calls = [
    () => client().say({ text: 'a' }),
    () => collect(client().repeat({ text: 'a', times: 2 })),
    () => client().join(streamOf({ text: 'a' })),
    () => collect(client().chat(streamOf({ text: 'a' }))),
  ];
  const outcomes: unknown[] = [];
  for (const call of calls) outcomes.push(await call().catch((error: RpcError) => error.code));
  return outcomes;
}

describe('server interceptors', () => {
  it('wrap the whole call of every kind, the first outermost', async () => {
    const log: string[] = [];
    const logging =
      (name: string): ServerInterceptor =>
      async (call, next) => {
        log.push(`${name} before ${call.method.name}`);
        await next(call);
        log.push(`${name} after ${call.method.name}`);
      };
    running = await startEcho({}, { interceptors: [logging('outer'), logging('inner')] });
    await callAllKinds();
    expect(log).toEqual(
      ['Say', 'Repeat', 'Join', 'Chat'].flatMap((name) => [
        `outer before ${name}`,
        `inner before ${name}`,
        `inner after ${name}`,
        `outer after ${name}`,
      ]),
    );
  });

  it('hand typed values to the handler', async () => {
    const caller = createCallKey<{ name: string }>('caller');
    running = await startEcho(
      { say: (_request, call) => ({ text: call.state.require(caller).name }) },
      {
        interceptors: [
          (call, next) => {
            call.state.set(caller, { name: 'voice' });
            return next(call);
          },
        ],
      },
    );
    expect((await client().say({})).text).toBe('voice');
  });

  it('can refuse a call before its request is decoded', async () => {
    let reached = false;
    const refuse: ServerInterceptor = async () => {
      throw new RpcError(status.UNAUTHENTICATED, 'who are you');
    };
    const handler = () => {
      reached = true;
      throw new Error('reached');
    };
    running = await startEcho(
      { say: handler, repeat: handler, join: handler, chat: handler },
      { interceptors: [refuse] },
    );
    expect(await callAllKinds()).toEqual(Array(4).fill(status.UNAUTHENTICATED));
    expect(reached).toBe(false);
  });

  it('can fail a call after the handler is done, so that no answer leaves without a record', async () => {
    const unrecorded: ServerInterceptor = async (call, next) => {
      await next(call);
      throw new RpcError(status.UNAVAILABLE, 'no record');
    };
    running = await startEcho({}, { interceptors: [unrecorded] });
    expect(await callAllKinds()).toEqual(Array(4).fill(status.UNAVAILABLE));
  });

  it('see the error that will be sent, already mapped', async () => {
    const seen: unknown[] = [];
    const watching: ServerInterceptor = (call, next) => {
      call.onEnd((error) => seen.push(error));
      return next(call);
    };
    running = await startEcho(
      {
        say: () => {
          throw new Error('hidden');
        },
      },
      { interceptors: [watching] },
    );
    await rejectionOf(client().say({}));
    expect(seen).toMatchObject([{ name: 'RpcError', code: status.INTERNAL, message: 'internal error' }]);
  });

  it('that forget next, or call it twice, make the call fail instead of hang', async () => {
    running = await startEcho({}, { interceptors: [async () => {}] });
    expect(await callAllKinds()).toEqual(Array(4).fill(status.INTERNAL));
    running.stop();
    const twice: ServerInterceptor = async (call, next) => {
      await next(call);
      await next(call);
    };
    running = await startEcho({}, { interceptors: [twice] });
    expect(await callAllKinds()).toEqual(Array(4).fill(status.INTERNAL));
  });
});

describe('client interceptors', () => {
  it('wrap calls of every kind, may add metadata, and learn how the call ended', async () => {
    const log: string[] = [];
    const intercept: ClientInterceptor = async (call, next) => {
      call.metadata.set('x-name', call.method.name);
      await next().then(
        () => log.push(`${call.methodName} ok ${String(call.peer === running.address)}`),
        (error: RpcError) => {
          log.push(`${call.methodName} ${error.code}`);
          throw error;
        },
      );
    };
    const failOnLoud: ServerInterceptor = async (call, next) => {
      expect(call.metadata.get('x-name')).toEqual([call.method.name]);
      await next(call);
      if (call.method.name === 'Join') throw new RpcError(status.ABORTED, 'x');
    };
    running = await startEcho({}, { interceptors: [failOnLoud] }, { interceptors: [intercept] });
    await callAllKinds();
    expect(log).toEqual([
      'kit.v1.EchoService/Say ok true',
      'kit.v1.EchoService/Repeat ok true',
      `kit.v1.EchoService/Join ${status.ABORTED}`,
      'kit.v1.EchoService/Chat ok true',
    ]);
  });

  it('learn CANCELLED when the caller leaves a stream early', async () => {
    const ends: unknown[] = [];
    const intercept: ClientInterceptor = (_call, next) =>
      next().catch((error: RpcError) => {
        ends.push(error.code);
        throw error;
      });
    running = await startEcho({}, {}, { interceptors: [intercept] });
    for await (const { text } of client().repeat({ text: 'a' })) {
      expect(text).toBe('a');
      break;
    }
    expect(ends).toEqual([status.CANCELLED]);
  });

  it('can refuse a call, or forget next, without leaving the caller waiting', async () => {
    const refuse: ClientInterceptor = async () => {
      throw new RpcError(status.UNAUTHENTICATED, 'no credential');
    };
    running = await startEcho({}, {}, { interceptors: [refuse] });
    expect(await callAllKinds()).toEqual(Array(4).fill(status.UNAUTHENTICATED));
    running.stop();
    running = await startEcho({}, {}, { interceptors: [async () => {}] });
    await expect(client().say({})).rejects.toThrow(TypeError);
    await expect(collect(client().repeat({}))).rejects.toThrow(TypeError);
  });
});

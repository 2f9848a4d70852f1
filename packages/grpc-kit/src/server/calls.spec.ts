import { afterEach, describe, expect, it } from '@jest/globals';
import { status } from '@grpc/grpc-js';
import { createClient } from '../client/create-client.ts';
import type { RpcError } from '../error/rpc-error.ts';
import { collect, rejectionOf, type RunningServer, startEcho, streamOf } from '../testing/echo.ts';
import { EchoService } from '../testing/gen/kit/v1/echo_pb.ts';

let running: RunningServer;
afterEach(() => running.stop());
const client = () => createClient(EchoService, running.connection);

describe('a call', () => {
  it('answers one request with one message', async () => {
    running = await startEcho();
    expect((await client().say({ text: 'grüezi', style: { loud: true, volume: 3 } })).text).toBe('GRÜEZI');
  });

  it('answers a request without any field set', async () => {
    running = await startEcho();
    expect((await client().say({})).text).toBe('');
  });

  it('streams answers in order and ends', async () => {
    running = await startEcho();
    expect((await collect(client().repeat({ text: 'a', times: 100 }))).map(({ text }) => text)).toEqual(
      Array(100).fill('a'),
    );
  });

  it('takes a stream of requests and answers once', async () => {
    running = await startEcho();
    expect((await client().join(streamOf({ text: 'a' }, { text: 'b' }, { text: 'c' }))).text).toBe('abc');
  });

  it('answers each message of a conversation before the next is sent', async () => {
    running = await startEcho();
    const heard: string[] = [];
    let answered = Promise.withResolvers<void>();
    const requests = async function* () {
      for (const text of ['a', 'b', 'c']) {
        answered = Promise.withResolvers<void>();
        yield { text };
        await answered.promise;
      }
    };
    for await (const { text } of client().chat(requests())) {
      heard.push(text);
      answered.resolve();
    }
    expect(heard).toEqual(['a', 'b', 'c']);
  });

  it('goes on answering after the requests of a conversation have ended', async () => {
    running = await startEcho({
      async *chat(requests) {
        const texts = (await collect(requests)).map(({ text }) => text);
        for (const text of texts.reverse()) yield { text };
      },
    });
    const answers = await collect(client().chat(streamOf({ text: 'a' }, { text: 'b' })));
    expect(answers.map(({ text }) => text)).toEqual(['b', 'a']);
  });

  it('ends for the client when the handler stops reading, whatever is still to be sent', async () => {
    running = await startEcho({
      async join(requests) {
        for await (const { text } of requests) return { text };
        return { text: '' };
      },
    });
    let released = false;
    const endless = async function* () {
      try {
        for (;;) yield { text: 'x' };
      } finally {
        released = true;
      }
    };
    expect((await client().join(endless())).text).toBe('x');
    expect(released).toBe(true);
  });

  it('holds back a handler that writes faster than the client reads', async () => {
    let written = 0;
    running = await startEcho({
      async *repeat() {
        for (;;) {
          written++;
          yield { text: 'x'.repeat(16_384) };
        }
      },
    });
    for await (const { text } of client().repeat({})) {
      expect(text).toHaveLength(16_384);
      break;
    }
    expect(written).toBeLessThan(200);
  });

  it('carries headers, trailers and metadata', async () => {
    running = await startEcho({
      say(_request, call) {
        call.setTrailer('x-trailer', String(call.metadata.get('x-from')[0]));
        const header = call.metadata.clone();
        call.sendHeader(header);
        return { text: call.methodName };
      },
    });
    const { Metadata } = await import('@grpc/grpc-js');
    const metadata = new Metadata();
    metadata.set('x-from', 'spec');
    const seen: unknown[] = [];
    const { text } = await client().say(
      {},
      {
        metadata,
        onHeader: (header) => seen.push(header.get('x-from')),
        onTrailer: (trailer) => seen.push(trailer.get('x-trailer')),
      },
    );
    expect(text).toBe('kit.v1.EchoService/Say');
    expect(seen).toEqual([['spec'], ['spec']]);
  });

  it('refuses bytes that are no message with INVALID_ARGUMENT and does not reach the handler', async () => {
    let reached = false;
    running = await startEcho({
      say: () => {
        reached = true;
        return {};
      },
    });
    const say = (method: string) =>
      new Promise<{ code?: number; details?: string } | null>((resolve) => {
        const { grpcClient } = running.connection;
        const same = (bytes: Buffer) => bytes;
        grpcClient.makeUnaryRequest(method, same, same, Buffer.from([0x0a, 0xff]), (error) => resolve(error));
      });
    for (const method of ['Say', 'Join']) {
      const error = await say(`/kit.v1.EchoService/${method}`);
      expect(error).toMatchObject({
        code: status.INVALID_ARGUMENT,
        details: 'the request message cannot be decoded; compare the contract of client and server',
      });
    }
    expect(reached).toBe(false);
  });

  it('cannot be registered with a method that has no handler', async () => {
    await expect(startEcho({ join: undefined as never })).rejects.toThrow(
      'no handler for kit.v1.EchoService/Join',
    );
    running = await startEcho();
  });

  it('fails with UNAVAILABLE once the connection is closed', async () => {
    running = await startEcho();
    running.connection.close();
    const error = (await rejectionOf(client().say({}))) as RpcError;
    expect(error.code).toBe(status.UNAVAILABLE);
    expect(await rejectionOf(collect(client().repeat({})))).toMatchObject({ code: status.UNAVAILABLE });
  });
});

import { create } from '@bufbuild/protobuf';
import { BadRequestSchema } from '@callpass/rpc-protos/gen/google/rpc/error_details_pb.js';
import { status } from '@grpc/grpc-js';
import { afterEach, describe, expect, it } from '@jest/globals';
import { createClient } from '../client/create-client.ts';
import type { RpcError } from '../error/rpc-error.ts';
import { collect, rejectionOf, type RunningServer, startEcho, streamOf } from '../testing/echo.ts';
import { EchoService, SayRequestSchema } from '../testing/gen/kit/v1/echo_pb.ts';
import { assertValid, validation, warmUp } from './validation.ts';

let running: RunningServer | undefined;
afterEach(() => running?.stop());
async function start(overrides: Parameters<typeof startEcho>[0] = {}) {
  running = await startEcho(overrides, { interceptors: [validation()] });
  return createClient(EchoService, running.connection);
}
const violationsOf = (error: unknown) =>
  (error as RpcError)
    .findDetails(BadRequestSchema)
    .flatMap(({ fieldViolations }) => fieldViolations.map(({ field, description }) => [field, description]));

describe('validation', () => {
  it('lets a request through that keeps its rules', async () => {
    const client = await start();
    expect(
      (await client.say({ text: 'x'.repeat(64), labels: ['a'], style: { volume: 10 } })).text,
    ).toHaveLength(64);
  });

  it('names each field that breaks a rule by its path and the rule, never by its value', async () => {
    let reached = false;
    const client = await start({
      say: () => {
        reached = true;
        return {};
      },
    });
    const error = (await rejectionOf(
      client.say({ text: 'canary'.repeat(20), labels: ['ok', ''], style: { loud: true, volume: 0 } }),
    )) as RpcError;
    expect(error.code).toBe(status.INVALID_ARGUMENT);
    expect(violationsOf(error)).toEqual([
      ['text', 'must be at most 64 characters'],
      ['style', 'a loud text has a volume of at least 1'],
      ['labels[1]', 'must not be empty'],
    ]);
    expect(error.message).toBe('invalid request: text: must be at most 64 characters');
    expect(JSON.stringify([error.message, violationsOf(error), error.metadata!.toJSON()])).not.toContain(
      'canary',
    );
    expect(reached).toBe(false);
  });

  it('names a nested field', async () => {
    const client = await start();
    const error = await rejectionOf(client.say({ style: { volume: 11 } }));
    expect(violationsOf(error)).toEqual([['style.volume', 'must be less than or equal to 10']]);
  });

  it('still sends its details when a request breaks a thousand rules', async () => {
    const client = await start();
    const error = await rejectionOf(client.say({ labels: Array<string>(1000).fill('') }));
    expect(violationsOf(error)).toHaveLength(16);
  });

  it('checks each message of a stream, after those before it were handled', async () => {
    const handled: string[] = [];
    const client = await start({
      async *chat(requests) {
        for await (const { text } of requests) {
          handled.push(text);
          yield { text };
        }
      },
    });
    const error = await rejectionOf(collect(client.chat(streamOf({ text: 'a' }, { text: 'x'.repeat(65) }))));
    expect(error).toMatchObject({ code: status.INVALID_ARGUMENT });
    expect(violationsOf(error)).toEqual([['text', 'must be at most 64 characters']]);
    expect(handled).toEqual(['a']);
  });

  it('fails the call even when the handler swallows the refusal of a message', async () => {
    const client = await start({
      async join(requests) {
        await collect(requests).catch(() => {});
        return { text: 'as if nothing was wrong' };
      },
    });
    expect(await rejectionOf(client.join(streamOf({ text: 'x'.repeat(65) })))).toMatchObject({
      code: status.INVALID_ARGUMENT,
    });
  });
});

describe('warmUp', () => {
  it('compiles the rules in advance, so that the first request does not pay for it', () => {
    warmUp([EchoService]);
    const request = create(SayRequestSchema, { style: { loud: true, volume: 1 } });
    // Of this thread's processor, so that a pause of the machine does not count.
    const before = process.threadCpuUsage();
    assertValid(SayRequestSchema, request);
    const { user, system } = process.threadCpuUsage(before);
    expect((user + system) / 1000).toBeLessThan(20);
  });
});

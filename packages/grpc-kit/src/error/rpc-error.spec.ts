import { create } from '@bufbuild/protobuf';
import { AnySchema } from '@bufbuild/protobuf/wkt';
import { BadRequestSchema, ErrorInfoSchema } from '@callpass/rpc-protos/gen/google/rpc/error_details_pb.js';
import { Metadata, status } from '@grpc/grpc-js';
import { afterEach, describe, expect, it } from '@jest/globals';
import { createClient } from '../client/create-client.ts';
import { maskUnknownErrors } from '../server/server-call.ts';
import { collect, rejectionOf, type RunningServer, startEcho, streamOf } from '../testing/echo.ts';
import { EchoService } from '../testing/gen/kit/v1/echo_pb.ts';
import { detail, RpcError } from './rpc-error.ts';

let running: RunningServer | undefined;
afterEach(() => running?.stop());

async function errorOf(thrown: unknown, options: Parameters<typeof startEcho>[1] = {}): Promise<RpcError[]> {
  running = await startEcho(
    {
      say: () => {
        throw thrown;
      },
      // eslint-disable-next-line require-yield -- fails before its first answer
      async *repeat() {
        throw thrown;
      },
      join: async () => Promise.reject(thrown),
      async *chat() {
        yield { text: 'first' };
        throw thrown;
      },
    },
    options,
  );
  const client = createClient(EchoService, running.connection);
  const errors = await Promise.all([
    rejectionOf(client.say({})),
    rejectionOf(collect(client.repeat({}))),
    rejectionOf(client.join(streamOf({}))),
    rejectionOf(collect(client.chat(streamOf({})))),
  ]);
  for (const error of errors) expect(error).toBeInstanceOf(RpcError);
  return errors as RpcError[];
}

describe('an RpcError', () => {
  it('arrives with code, message, typed details and trailers, from every kind of call', async () => {
    const metadata = new Metadata();
    metadata.set('retry-pushback', '12');
    const details = [
      detail(ErrorInfoSchema, { reason: 'FROZEN', domain: 'kit', metadata: { realm: 'north' } }),
    ];
    for (const error of await errorOf(
      new RpcError(status.FAILED_PRECONDITION, 'the realm is frozen', { details, metadata }),
    )) {
      expect(error.code).toBe(status.FAILED_PRECONDITION);
      expect(error.message).toBe('the realm is frozen');
      expect(error.findDetails(ErrorInfoSchema)).toMatchObject([
        { reason: 'FROZEN', metadata: { realm: 'north' } },
      ]);
      expect(error.findDetails(BadRequestSchema)).toEqual([]);
      expect(error.metadata!.get('retry-pushback')).toEqual(['12']);
    }
  });

  it('carries details of types that are unknown here', async () => {
    const strange = create(AnySchema, { typeUrl: 'type.googleapis.com/x.Y', value: new Uint8Array([8, 1]) });
    for (const error of await errorOf(new RpcError(status.ABORTED, 'x', { details: [strange] }))) {
      expect(error.details).toMatchObject([{ typeUrl: 'type.googleapis.com/x.Y' }]);
      expect([...error.details[0]!.value]).toEqual([8, 1]);
    }
  });

  it('survives any text, half a surrogate pair and a very long one included', async () => {
    for (const error of await errorOf(
      new RpcError(status.ABORTED, `zürich \ud800 %41 ${'x'.repeat(20_000)}`),
    )) {
      expect(error.code).toBe(status.ABORTED);
      expect(error.message.startsWith('zürich \ufffd %41 x')).toBe(true);
    }
  });

  it('keeps its code when its details are too large to send', async () => {
    const details = [detail(ErrorInfoSchema, { reason: 'x'.repeat(100_000) })];
    for (const error of await errorOf(new RpcError(status.OUT_OF_RANGE, 'large', { details }))) {
      expect(error).toMatchObject({ code: status.OUT_OF_RANGE, message: 'large', details: [] });
    }
  });

  it('reads a code that gRPC does not define as UNKNOWN', () => {
    expect(new RpcError(99 as never, 'x').code).toBe(status.UNKNOWN);
    expect(new RpcError(0 as never, 'x').code).toBe(status.UNKNOWN);
  });
});

describe('any other error of a handler', () => {
  it('becomes INTERNAL with a fixed text, and nothing of it leaks', async () => {
    const secret = Object.assign(new Error('canary in the message'), {
      code: 5,
      details: 'canary in the details',
    });
    for (const thrown of [secret, 'canary as a string', undefined, { code: 3, details: 'canary' }]) {
      for (const error of await errorOf(thrown)) {
        expect(error).toMatchObject({ code: status.INTERNAL, message: 'internal error', details: [] });
        expect(JSON.stringify(error.metadata!.toJSON())).not.toContain('canary');
      }
      running!.stop();
    }
  });

  it('goes through the mapper of the application once, with its call', async () => {
    const mapped: unknown[] = [];
    const errors = await errorOf(new TypeError('canary'), {
      interceptors: [(call, next) => next(call), (call, next) => next(call)],
      mapError: (error, call) => {
        mapped.push(`${call.methodName} ${String(error)}`);
        return new RpcError(status.DATA_LOSS, 'mapped');
      },
    });
    for (const error of errors) expect(error).toMatchObject({ code: status.DATA_LOSS, message: 'mapped' });
    expect(mapped.sort()).toEqual(
      ['Chat', 'Join', 'Repeat', 'Say'].map((name) => `kit.v1.EchoService/${name} TypeError: canary`),
    );
  });

  it('is masked even when the mapper itself fails', async () => {
    const mapError = () => {
      throw new Error('canary');
    };
    for (const error of await errorOf(new Error('canary'), { mapError })) {
      expect(error).toMatchObject({ code: status.INTERNAL, message: 'internal error' });
    }
  });

  it('is kept as the cause for the log', () => {
    const cause = new Error('for the log');
    expect(maskUnknownErrors(cause, undefined as never).cause).toBe(cause);
  });
});

import { connect, type ClientHttp2Session, type IncomingHttpHeaders } from 'node:http2';
import { fromBinary } from '@bufbuild/protobuf';
import { anyUnpack } from '@bufbuild/protobuf/wkt';
import { ErrorInfoSchema } from '@callpass/rpc-protos/gen/google/rpc/error_details_pb.js';
import { StatusSchema } from '@callpass/rpc-protos/gen/google/rpc/status_pb.js';
import { status } from '@grpc/grpc-js';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { detail, type ErrorCode, RpcError } from '../error/rpc-error.ts';
import { type RunningServer, startEcho } from '../testing/echo.ts';
import { completeStatuses } from './complete-statuses.ts';
import type { ServerCall } from './server-call.ts';

/** Says in its reason which status was completed. */
const complete = (code: ErrorCode) =>
  new RpcError(code, 'completed', { details: [detail(ErrorInfoSchema, { reason: status[code] })] });

const MAX_BYTES = 100;
const EMPTY = Buffer.alloc(5);
const OWN = new RpcError(status.ABORTED, 'own');

/** Resolves at the end of a call, so that its handler is at work for as long as the call lasts. */
const ended = ({ signal }: ServerCall) =>
  new Promise<void>((resolve) => {
    signal.addEventListener('abort', () => resolve());
  });

let running: RunningServer;
let session: ClientHttp2Session;
beforeAll(async () => {
  running = await startEcho(
    {
      async say({ text }, call) {
        if (text === '') await ended(call);
        else if (text === 'fail') throw OWN;
        return { text };
      },
      async *repeat({ text }, call) {
        if (text !== '') yield { text };
        await ended(call);
      },
      async join(_requests, call) {
        await ended(call);
        return {};
      },
      async *chat(requests, call) {
        for await (const { text } of requests) yield { text };
        await ended(call);
      },
    },
    {},
    {},
    { interceptors: [completeStatuses(complete)], 'grpc.max_receive_message_length': MAX_BYTES },
  );
  session = connect(`http://${running.address}`);
});
afterAll(() => {
  session.destroy();
  running.stop();
});

/** A message whose field `text` is this. */
function saying(text: string): Buffer {
  const message = Buffer.concat([Buffer.from([0x0a, text.length]), Buffer.from(text)]);
  return Buffer.concat([Buffer.from([0, 0, 0, 0, message.length]), message]);
}

/** Calls without a client library, which would answer for the server. Gives the status and the reason within it. */
async function answerTo(method: string, body: Buffer, headers: Record<string, string>) {
  const stream = session.request({
    ...{ ':method': 'POST', ':path': `/kit.v1.EchoService/${method}`, te: 'trailers' },
    ...{ 'content-type': 'application/grpc', ...headers },
  });
  const received: IncomingHttpHeaders = {};
  const keep = (head: IncomingHttpHeaders) => void Object.assign(received, head);
  stream.on('response', keep).on('trailers', keep).resume().end(body);
  await new Promise((resolve) => stream.once('close', resolve));
  const bytes = Buffer.from(String(received['grpc-status-details-bin'] ?? ''), 'base64');
  const [info] = fromBinary(StatusSchema, bytes).details.flatMap(
    (any) => anyUnpack(any, ErrorInfoSchema) ?? [],
  );
  return { code: Number(received['grpc-status']), message: received['grpc-message'], reason: info?.reason };
}

const LATE = { 'grpc-timeout': '100m' };
const GZIP = { 'grpc-encoding': 'gzip' };

describe('a status that grpc-js makes itself is completed:', () => {
  it.each<[string, string, Buffer, Record<string, string>, status]>([
    ['a deadline while a unary handler is at work', 'Say', EMPTY, LATE, status.DEADLINE_EXCEEDED],
    ['a deadline before the first answer of a stream', 'Repeat', EMPTY, LATE, status.DEADLINE_EXCEEDED],
    ['a deadline after answers of a stream', 'Repeat', saying('a'), LATE, status.DEADLINE_EXCEEDED],
    ['a deadline while requests are taken', 'Join', saying('a'), LATE, status.DEADLINE_EXCEEDED],
    ['a deadline in a conversation', 'Chat', saying('a'), LATE, status.DEADLINE_EXCEEDED],
    ['a message above the bound', 'Say', saying('a'.repeat(MAX_BYTES)), {}, status.RESOURCE_EXHAUSTED],
    ['a message that is not gzip', 'Say', Buffer.from([1, 0, 0, 0, 1, 0]), GZIP, status.INTERNAL],
    ['no message', 'Say', Buffer.alloc(0), {}, status.UNIMPLEMENTED],
  ])('%s', async (_what, method, body, headers, code) => {
    expect(await answerTo(method, body, headers)).toEqual({
      code,
      message: 'completed',
      reason: status[code],
    });
  });
});

it('what a handler sends is not changed', async () => {
  expect(await answerTo('Say', saying('good'), {})).toMatchObject({ code: status.OK });
  expect(await answerTo('Say', saying('fail'), {})).toEqual({
    code: OWN.code,
    message: 'own',
    reason: undefined,
  });
});

import {
  connect,
  constants,
  type ClientHttp2Session,
  type Http2Server,
  type IncomingHttpHeaders,
} from 'node:http2';
import { once } from 'node:events';
import { afterEach, beforeEach, expect, it } from '@jest/globals';
import { type Metadata, type Server, status } from '@grpc/grpc-js';
import { createClient } from '../client/create-client.ts';
import { RpcError } from '../error/rpc-error.ts';
import { echoHandlers, rejectionOf, type RunningServer, startServer, streamOf } from '../testing/echo.ts';
import { EchoService } from '../testing/gen/kit/v1/echo_pb.ts';
import { addService } from './add-service.ts';
import { http2ServersOf } from './grpc-js-internals.ts';
import { type CallHead, type CallScreen, prepareRefusal, refuseCall, screenCalls } from './screen-calls.ts';

const REFUSED = prepareRefusal(new RpcError(status.RESOURCE_EXHAUSTED, 'tröp tard'));

let running: RunningServer;
let session: ClientHttp2Session;
let screen: CallScreen['judge'];
let waits: boolean;
let http2Server: Http2Server;
let seen: CallHead[];
let metadata: Metadata | undefined;

beforeEach(async () => {
  seen = [];
  screen = () => undefined;
  waits = false;
  let bound: Server | undefined;
  running = await startServer((server) => {
    addService(server, EchoService, {
      ...echoHandlers,
      say: (_request, call) => {
        ({ metadata } = call);
        return { text: 'said' };
      },
    });
    bound = server;
  });
  screenCalls(bound as Server, {
    waits: () => waits,
    judge(head, stream) {
      seen.push(head);
      return screen(head, stream);
    },
  });
  [http2Server] = http2ServersOf(bound as Server) as [Http2Server];
  session = connect(`http://${running.address}`);
});
afterEach(() => {
  session.destroy();
  running.stop();
});

async function answerOf(headers: IncomingHttpHeaders): Promise<IncomingHttpHeaders> {
  const stream = session.request({
    ':method': 'POST',
    'content-type': 'application/grpc',
    te: 'trailers',
    ...headers,
  });
  stream.end(Buffer.alloc(5));
  const answer = Promise.race([once(stream, 'trailers'), once(stream, 'response')]);
  stream.resume();
  const [given] = (await answer) as [IncomingHttpHeaders];
  stream.close(constants.NGHTTP2_CANCEL);
  return given;
}

it('a screened call is refused with status and text before grpc-js has it', async () => {
  screen = () => REFUSED;
  const error = (await rejectionOf(
    createClient(EchoService, running.connection).say({ text: 'a' }),
  )) as RpcError;
  expect(error).toMatchObject({ code: status.RESOURCE_EXHAUSTED, message: 'tröp tard' });
  expect(seen[0]?.path).toBe('/kit.v1.EchoService/Say');
});

it('a refusal ends one call and leaves the others of its connection', async () => {
  screen = ({ rawHeaders }) => (rawHeaders.includes('x-bad') ? REFUSED : undefined);
  const [bad, good] = await Promise.all([
    answerOf({ ':path': '/kit.v1.EchoService/Say', 'x-bad': '1' }),
    createClient(EchoService, running.connection).say({}),
  ]);
  expect(bad['grpc-status']).toBe(String(status.RESOURCE_EXHAUSTED));
  expect(good.text).toBe('said');
});

it('each header is seen as it was sent, repeated ones one by one', async () => {
  screen = () => REFUSED;
  await answerOf({ ':path': '/x', 'x-two': ['a', 'b'] });
  const { rawHeaders = [] } = seen[0] ?? {};
  expect(rawHeaders.filter((_, at) => rawHeaders[at - 1] === 'x-two')).toEqual(['a', 'b']);
});

it('what is changed in the headers is what the handler sees', async () => {
  screen = ({ headers }) => {
    headers['x-name'] = 'changed';
    return undefined;
  };
  await createClient(EchoService, running.connection).say({});
  expect(metadata?.get('x-name')).toEqual(['changed']);
});

it('a call can be refused after it was accepted, as long as it has no answer', async () => {
  screen = (_head, stream) => {
    stream.once('data', () => refuseCall(stream, REFUSED));
    return undefined;
  };
  const error = (await rejectionOf(
    createClient(EchoService, running.connection).say({ text: 'a' }),
  )) as RpcError;
  expect(error.code).toBe(status.RESOURCE_EXHAUSTED);
});

it('a call that waits is served or refused like any other', async () => {
  waits = true;
  const client = createClient(EchoService, running.connection);
  expect((await client.say({ text: 'a' })).text).toBe('said');
  expect((await client.join(streamOf({ text: 'a' }, { text: 'b' }))).text).toBe('ab');
  screen = () => REFUSED;
  expect(await rejectionOf(client.say({}))).toMatchObject({ code: status.RESOURCE_EXHAUSTED });
});

it.each([constants.NGHTTP2_CANCEL, constants.NGHTTP2_NO_ERROR, constants.NGHTTP2_INTERNAL_ERROR])(
  'a call that waits and is taken back with code %d meanwhile is not looked at, and comes to its end',
  async (code) => {
    waits = true;
    const closed = Promise.withResolvers<void>();
    http2Server.once('stream', (stream) => stream.once('close', closed.resolve));
    session
      .request({ ':method': 'POST', ':path': '/kit.v1.EchoService/Say' })
      .on('error', () => undefined)
      .close(code);
    await closed.promise;
    expect(seen).toEqual([]);
  },
);

it('answers say that nothing compressed is taken', async () => {
  const stream = session.request({
    ':method': 'POST',
    ':path': '/kit.v1.EchoService/Say',
    'content-type': 'application/grpc',
  });
  stream.end(Buffer.alloc(5));
  const [header] = (await once(stream, 'response')) as [IncomingHttpHeaders];
  expect(header['grpc-accept-encoding']).toBe('identity');
  stream.close();
});

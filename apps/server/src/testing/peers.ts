import { once } from 'node:events';
import {
  connect as connectHttp2,
  type ClientHttp2Session,
  type ClientHttp2Stream,
  type IncomingHttpHeaders,
  type OutgoingHttpHeaders,
} from 'node:http2';
import { connect as connectTcp, type Socket } from 'node:net';
import { connect as connectTls } from 'node:tls';
import { fromBinary } from '@bufbuild/protobuf';
import { anyUnpack } from '@bufbuild/protobuf/wkt';
import { ErrorInfoSchema } from '@callpass/rpc-protos/gen/google/rpc/error_details_pb.js';
import { StatusSchema } from '@callpass/rpc-protos/gen/google/rpc/status_pb.js';

const MAX_HEADER_BYTES = 1024 * 1024;

/** Headers of a call for health. */
export const CHECK = {
  ':method': 'POST',
  ':path': '/grpc.health.v1.Health/Check',
  'content-type': 'application/grpc',
};

const open: { destroy(): void }[] = [];

/** Closes all connections that were opened here. */
export function closePeers(): void {
  for (const peer of open.splice(0)) peer.destroy();
}

/** Opens a connection that says nothing yet. */
export function openSocket({ address }: { readonly address: string }, localAddress = '127.0.0.1'): Socket {
  const socket = connectTcp({ host: '127.0.0.1', port: Number(address.split(':')[1]), localAddress });
  socket.on('error', () => undefined).resume();
  open.push(socket);
  return socket;
}

/** Opens a connection of HTTP/2; resolves when both sides have confirmed their settings. */
export async function openSession(
  server: { readonly address: string },
  { localAddress, tls = false }: { localAddress?: string | undefined; tls?: boolean } = {},
): Promise<ClientHttp2Session> {
  const session = connectHttp2(`${tls ? 'https' : 'http'}://${server.address}`, {
    createConnection: () => {
      const socket = openSocket(server, localAddress);
      return tls ? connectTls({ socket, rejectUnauthorized: false, ALPNProtocols: ['h2'] }) : socket;
    },
    maxSendHeaderBlockLength: MAX_HEADER_BYTES,
  });
  session.on('error', () => undefined);
  open.push(session);
  await once(session, 'localSettings');
  return session;
}

/** Calls, with an empty message where none is given. Gives the status, or how the stream was closed, and the reason of the service. */
export async function answerOf(
  session: ClientHttp2Session,
  headers: OutgoingHttpHeaders = {},
  body: Buffer = Buffer.alloc(5),
): Promise<{ status: unknown; reason: string | undefined }> {
  const stream = session.request({ ...CHECK, ...headers });
  const seen = new Promise<IncomingHttpHeaders>((resolve) => {
    stream.on('response', (answer) => answer['grpc-status'] !== undefined && resolve(answer));
    stream.on('trailers', resolve);
    stream.on('close', () => resolve({ 'grpc-status': `closed with ${stream.rstCode}` }));
  });
  stream.on('error', () => undefined).resume();
  stream.end(body);
  const { 'grpc-status': status, 'grpc-status-details-bin': bytes } = await seen;
  const { details } = fromBinary(StatusSchema, Buffer.from(String(bytes ?? ''), 'base64'));
  const [info] = details.flatMap((any) => anyUnpack(any, ErrorInfoSchema) ?? []);
  return { status, reason: info?.reason };
}

/** The status of {@link answerOf}. */
export async function statusOf(session: ClientHttp2Session, headers?: OutgoingHttpHeaders): Promise<unknown> {
  return (await answerOf(session, headers)).status;
}

/** Opens a stream that goes on until it is taken back. */
export function watchHealth(session: ClientHttp2Session): ClientHttp2Stream {
  const stream = session.request({ ...CHECK, ':path': '/grpc.health.v1.Health/Watch' });
  stream.on('error', () => undefined).end(Buffer.alloc(5));
  return stream;
}

import { constants, type Http2Server, type OutgoingHttpHeaders, type ServerHttp2Stream } from 'node:http2';
import type { Server } from '@grpc/grpc-js';
import type { RpcError } from '../error/rpc-error.ts';
import { toWireStatus } from '../error/status-details.ts';
import { http2ServersOf } from './http2-servers.ts';

const {
  HTTP2_HEADER_CONTENT_TYPE,
  HTTP2_HEADER_PATH,
  HTTP2_HEADER_STATUS,
  HTTP_STATUS_OK,
  NGHTTP2_NO_ERROR,
} = constants;

/** A refusal that is made once and sent often. */
export interface PreparedRefusal {
  /** @internal The headers of an answer that has nothing else: "Trailers-Only" of gRPC over HTTP/2. */
  readonly headers: OutgoingHttpHeaders;
}

/** Encodes a refusal once, for {@link refuseEarly}. */
export function prepareRefusal(error: RpcError): PreparedRefusal {
  const { code, details, metadata } = toWireStatus(error);
  return {
    headers: {
      [HTTP2_HEADER_STATUS]: HTTP_STATUS_OK,
      [HTTP2_HEADER_CONTENT_TYPE]: 'application/grpc+proto',
      'grpc-status': String(code),
      'grpc-message': encodeURI(details),
      ...metadata.toHttp2Headers(),
    },
  };
}

/**
 * Lets a server that is bound refuse calls on their headers alone, before grpc-js has made a call of them: nothing of the
 * message is read, no interceptor runs, no error is mapped. That takes a fraction of what a call takes that is let in, so a
 * server can say no faster than it is asked.
 *
 * `decide` gets the path, `/pkg.Service/Method`, on every call and gives the refusal, or undefined to let the call in.
 *
 * @throws TypeError as {@link http2ServersOf} does.
 */
export function refuseEarly(server: Server, decide: (path: string) => PreparedRefusal | undefined): void {
  for (const http2Server of http2ServersOf(server)) refuseOn(http2Server, decide);
}

type StreamListener = (stream: ServerHttp2Stream, headers: Readonly<Record<string, unknown>>) => void;

function refuseOn(http2Server: Http2Server, decide: (path: string) => PreparedRefusal | undefined): void {
  const serving = http2Server.listeners('stream') as StreamListener[];
  http2Server.removeAllListeners('stream');
  http2Server.on('stream', (stream, headers) => {
    const refusal = decide(String(headers[HTTP2_HEADER_PATH]));
    if (refusal === undefined) for (const serve of serving) serve.call(http2Server, stream, headers);
    else refuse(stream, refusal);
  });
}

function refuse(stream: ServerHttp2Stream, { headers }: PreparedRefusal): void {
  // Its connection may have been ended in the same turn of the event loop.
  if (stream.destroyed) return;
  // A client that resets its call meanwhile is no error of the server's.
  stream.on('error', ignore);
  stream.respond(headers, { endStream: true });
  // What the client still sends is not waited for.
  stream.close(NGHTTP2_NO_ERROR);
}

const ignore = () => undefined;

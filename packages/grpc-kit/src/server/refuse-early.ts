import { constants, type Http2Server, type OutgoingHttpHeaders, type ServerHttp2Stream } from 'node:http2';
import type { Server } from '@grpc/grpc-js';
import type { RpcError } from '../error/rpc-error.ts';
import { toWireStatus } from '../error/status-details.ts';
import { http2ServersOf } from './grpc-js-internals.ts';

const {
  HTTP2_HEADER_CONTENT_TYPE,
  HTTP2_HEADER_PATH,
  HTTP2_HEADER_STATUS,
  HTTP_STATUS_OK,
  NGHTTP2_NO_ERROR,
} = constants;

/** Refusal that is encoded once and sent many times. */
export interface PreparedRefusal {
  /** @internal Headers of a response without a body: "Trailers-Only" of gRPC over HTTP/2. */
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
 * Makes a bound server refuse calls by their headers, before grpc-js creates a call: no message is read, no interceptor runs,
 * no error is mapped. A refusal takes a fraction of the time of an accepted call, so a server can refuse faster than
 * requests arrive.
 *
 * `decide` gets the path of each call, `/pkg.Service/Method`. It returns the refusal, or undefined to accept the call.
 *
 * @throws {TypeError} as {@link http2ServersOf}.
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
  // The connection may have been ended in the same turn of the event loop.
  if (stream.destroyed) return;
  // A client may reset its call meanwhile, which is not an error of the server.
  stream.on('error', ignore);
  stream.respond(headers, { endStream: true });
  // The rest of the request is not waited for.
  stream.close(NGHTTP2_NO_ERROR);
}

const ignore = () => undefined;

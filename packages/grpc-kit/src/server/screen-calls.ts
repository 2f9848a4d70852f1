import {
  constants,
  type Http2Server,
  type IncomingHttpHeaders,
  type OutgoingHttpHeaders,
  type ServerHttp2Stream,
} from 'node:http2';
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

/**
 * Encodes a refusal once, for {@link screenCalls} and {@link refuseCall}.
 *
 * @param httpStatus for a request that is no call of gRPC, so that a peer that knows no `grpc-status` does not take the
 * refusal for a success.
 */
export function prepareRefusal(error: RpcError, httpStatus: number = HTTP_STATUS_OK): PreparedRefusal {
  const { code, details, metadata } = toWireStatus(error);
  return {
    headers: {
      [HTTP2_HEADER_STATUS]: httpStatus,
      [HTTP2_HEADER_CONTENT_TYPE]: 'application/grpc+proto',
      'grpc-status': String(code),
      'grpc-message': encodeURI(details),
      ...metadata.toHttp2Headers(),
    },
  };
}

/** Head of a call as it was received, before grpc-js creates metadata from it. */
export interface CallHead {
  /** `/pkg.Service/Method`. */
  readonly path: string;
  /** Headers that grpc-js reads next. A change here reaches interceptors and handlers. */
  readonly headers: IncomingHttpHeaders;
  /** Names and values in turn; repeated headers are not joined. */
  readonly rawHeaders: readonly string[];
}

/** Screen of calls. */
export interface CallScreen {
  /** Hears of each call first, and tells if it is judged in the next turn of the event loop only, unless it is closed by then. */
  readonly waits: (stream: ServerHttp2Stream) => boolean;
  /** Decides on a call: returns the refusal, or undefined to serve the call. */
  readonly judge: (head: CallHead, stream: ServerHttp2Stream) => PreparedRefusal | undefined;
}

/**
 * Makes a bound server screen calls by their heads, before grpc-js creates a call: no message is read, no metadata is made,
 * no interceptor runs, no error is mapped. A refusal takes a fraction of the time of an accepted call, so a server can refuse
 * faster than requests arrive.
 *
 * @throws {TypeError} as {@link http2ServersOf}.
 */
export function screenCalls(server: Server, screen: CallScreen): void {
  for (const http2Server of http2ServersOf(server)) screenOn(http2Server, screen);
}

type StreamListener = (stream: ServerHttp2Stream, headers: IncomingHttpHeaders) => void;

function screenOn(http2Server: Http2Server, screen: CallScreen): void {
  const serving = http2Server.listeners('stream') as StreamListener[];
  http2Server.removeAllListeners('stream');
  const judge = (stream: ServerHttp2Stream, headers: IncomingHttpHeaders, rawHeaders: readonly string[]) => {
    const refusal = screen.judge({ path: String(headers[HTTP2_HEADER_PATH]), headers, rawHeaders }, stream);
    if (refusal === undefined) for (const serve of serving) serve.call(http2Server, stream, headers);
    else refuseCall(stream, refusal);
  };
  http2Server.on('stream', (stream, headers, _flags, rawHeaders) => {
    if (!screen.waits(stream)) {
      judge(stream, headers, rawHeaders);
      return;
    }
    // A stream that is reset may have an error, which nobody else hears of yet.
    stream.on('error', ignore);
    setImmediate(() => {
      // Without a reader, one that was closed would not come to its end.
      if (stream.closed) stream.resume();
      else judge(stream, headers, rawHeaders);
    });
  });
}

/** Refuses a call that has no response yet, and reads nothing more of it. */
export function refuseCall(stream: ServerHttp2Stream, { headers }: PreparedRefusal): void {
  // The connection may have been ended in the same turn of the event loop.
  if (stream.destroyed || stream.headersSent) return;
  // A client may reset its call meanwhile, which is not an error of the server.
  stream.on('error', ignore);
  stream.respond(headers, { endStream: true });
  // The rest of the request is not waited for.
  stream.close(NGHTTP2_NO_ERROR);
}

const ignore = () => undefined;

// Private fields of grpc-js that this kit reads, because its public interface does not reach the HTTP/2 layer.
import type { Http2Server, Http2Session } from 'node:http2';
import type { ListenOptions } from 'node:net';
import type { Server, ServerCredentials, ServerInterceptingCallInterface } from '@grpc/grpc-js';
import type { GrpcServerCall } from './server-call.ts';

/**
 * Gets the HTTP/2 servers of a bound grpc-js server, one for each address. Limits on connections and streams, which apply
 * before there is a call, can only be set there.
 *
 * @throws {TypeError} if grpc-js keeps them elsewhere, so that a server never starts without its limits.
 */
export function http2ServersOf(server: Server): readonly Http2Server[] {
  const servers = (server as unknown as { readonly http2Servers?: unknown }).http2Servers;
  if (!(servers instanceof Map) || servers.size === 0) {
    throw new TypeError('no HTTP/2 server found in this grpc-js server: is it bound?');
  }
  return [...servers.keys()] as Http2Server[];
}

/**
 * Lets other processes bind the addresses that this server binds from now on (`SO_REUSEPORT`): the kernel spreads new connections
 * over all of them. Binding fails where the system does not have that.
 *
 * @throws {TypeError} if grpc-js makes its HTTP/2 servers elsewhere.
 */
export function sharePorts(server: Server): void {
  const internal = server as unknown as {
    createHttp2Server?: (credentials: ServerCredentials) => Http2Server;
  };
  const create = internal.createHttp2Server;
  if (typeof create !== 'function') throw new TypeError('this grpc-js server does not make HTTP/2 servers');
  internal.createHttp2Server = (credentials) => {
    const http2Server = create.call(server, credentials);
    const listen = http2Server.listen.bind(http2Server);
    const listenShared = (address: ListenOptions, onListening: () => void) =>
      listen({ ...address, reusePort: true }, onListening);
    return Object.assign(http2Server, { listen: listenShared });
  };
}

/** Layer of a server call. All fields are optional, since they are private to grpc-js. */
interface CallLayer {
  readonly nextCall?: ServerInterceptingCallInterface;
  readonly stream?: { readonly session?: Http2Session };
}

/**
 * Gets the HTTP/2 session of a call; undefined after the session has ended. It is the key for what is known of a connection,
 * such as the peer's certificate: `getAuthContext()` of grpc-js reads that again for each call, which takes half as long as
 * serving the call.
 */
export function sessionOf(call: GrpcServerCall): Http2Session | undefined {
  let layer = (call as unknown as { readonly call?: CallLayer }).call;
  while (layer?.nextCall !== undefined) layer = layer.nextCall as CallLayer;
  return layer?.stream?.session;
}

/** Options of the HTTP/2 sessions of a server that grpc-js has no options for; see `http2.createServer` of Node. */
export interface SessionOptions {
  /** Headers of one stream. Node resets a stream with more, without a status. */
  maxHeaderListPairs?: number;
  /** Drops a header with white space at its ends as if it had not been sent; the default of Node. */
  strictFieldWhitespaceValidation?: boolean;
  /** Streams that the peer may reset at once; more end the connection. Node takes it together with the rate. */
  streamResetBurst?: number;
  /** Streams that the peer may reset in a second. */
  streamResetRate?: number;
}

/**
 * Sets options for the sessions that an HTTP/2 server opens from now on.
 *
 * @throws {TypeError} if Node does not keep them where it did, so that a server does not start without its limits.
 */
export function setSessionOptions(server: Http2Server, options: SessionOptions): void {
  const key = Object.getOwnPropertySymbols(server).find(({ description }) => description === 'options');
  const current = key && (server as unknown as Record<symbol, unknown>)[key];
  if (typeof current !== 'object' || current === null)
    throw new TypeError('no session options found in this HTTP/2 server of Node');
  Object.assign(current, options);
}

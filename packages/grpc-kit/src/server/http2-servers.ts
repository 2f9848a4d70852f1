import type { Http2Server } from 'node:http2';
import type { Server } from '@grpc/grpc-js';

/**
 * The HTTP/2 servers behind a server of grpc-js that is bound: one for each address that it listens on. What a peer may do
 * before there is a call, connecting and opening streams, can only be limited there.
 *
 * @throws TypeError when grpc-js keeps them elsewhere than it did, so that a server does not start without its limits.
 */
export function http2ServersOf(server: Server): readonly Http2Server[] {
  const servers = (server as unknown as { readonly http2Servers?: unknown }).http2Servers;
  if (!(servers instanceof Map) || servers.size === 0) {
    throw new TypeError('no HTTP/2 server found in this grpc-js server: is it bound?');
  }
  return [...servers.keys()] as Http2Server[];
}

import type { Http2Session } from 'node:http2';
import type { ServerInterceptingCallInterface } from '@grpc/grpc-js';
import type { GrpcServerCall } from './server-call.ts';

/** What is read of grpc-js: private fields, so none of them is taken for granted. */
interface CallLayer {
  readonly nextCall?: ServerInterceptingCallInterface;
  readonly stream?: { readonly session?: Http2Session };
}

/**
 * The HTTP/2 session that a call came on; undefined once it is gone. What is known of the other end of a connection can be
 * kept by it, which `getAuthContext()` of grpc-js does not allow: that reads the peer's certificate anew for each call, and
 * that takes half as long as serving the call does.
 */
export function sessionOf(call: GrpcServerCall): Http2Session | undefined {
  let layer = (call as unknown as { readonly call?: CallLayer }).call;
  while (layer?.nextCall !== undefined) layer = layer.nextCall as CallLayer;
  return layer?.stream?.session;
}

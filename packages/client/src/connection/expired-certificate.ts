import { RpcError, type ClientInterceptor } from '@callpass/grpc-kit';
import { status } from '@grpc/grpc-js';

/**
 * Says of a call that found no connection that this client's own certificate has expired, where it has. A service that
 * insists on certificates closes the connection without a word, so nobody else could say it.
 */
export function tellExpiry(certificate: { readonly notAfterMs: number | undefined }): ClientInterceptor {
  return async (_call, next) => {
    try {
      await next();
    } catch (error) {
      if (!(error instanceof RpcError) || error.code !== status.UNAVAILABLE) throw error;
      const { notAfterMs = Infinity } = certificate;
      if (error.details.length > 0 || notAfterMs > Date.now()) throw error;
      const since = new Date(notAfterMs).toISOString();
      throw new RpcError(error.code, `this client's certificate has expired at ${since}; ${error.message}`, {
        ...(error.metadata && { metadata: error.metadata }),
        cause: error,
      });
    }
  };
}

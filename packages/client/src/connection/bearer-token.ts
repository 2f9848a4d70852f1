import type { ClientInterceptor } from '@callpass/grpc-kit';

/** A bearer token, or what gives the present one: asked at each attempt, so a token may be renewed. */
export type TokenSource = string | (() => string | Promise<string>);

const SENDABLE = /^[!-~]+$/;

/** Sends `authorization: Bearer …` with each call. Throws TypeError on a token that cannot be sent. */
export function bearerToken(source: TokenSource): ClientInterceptor {
  if (typeof source === 'string') assertSendable(source);
  return async (call, next) => {
    const token = typeof source === 'string' ? source : await source();
    assertSendable(token);
    call.metadata.set('authorization', `Bearer ${token}`);
    return next();
  };
}

/** Asked here because the error of grpc-js for a bad header quotes its value. */
function assertSendable(token: string): void {
  if (!SENDABLE.test(token)) throw new TypeError('token must be printable ASCII without spaces');
}

import { readFile } from 'node:fs/promises';
import type { ClientInterceptor } from '@callpass/grpc-kit/client';

/**
 * A bearer token, a file with one, or a function that returns the current one. A file is read at most once a second, a
 * function is called at each attempt, so a token may be renewed.
 *
 * @example
 * ```ts
 * const client = createCredentialClient({ address, tls: {}, token: { file: '/run/secrets/token' } });
 * ```
 */
export type TokenSource = string | { readonly file: string } | (() => string | Promise<string>);

const SENDABLE = /^[!-~]+$/;
const FILE_AGE_MS = 1000;

/** Sends `authorization: Bearer …` with each call. Throws TypeError on a token that cannot be sent. */
export function bearerToken(source: TokenSource): ClientInterceptor {
  if (typeof source === 'string') assertSendable(source);
  const current = typeof source === 'object' ? tokenInFile(source.file) : source;
  return async (call, next) => {
    const token = typeof current === 'string' ? current : await current();
    assertSendable(token);
    call.metadata.set('authorization', `Bearer ${token}`);
    return next();
  };
}

function tokenInFile(name: string): () => Promise<string> {
  let token: Promise<string> | undefined;
  let readAtMs = 0;
  return () => {
    const nowMs = performance.now();
    if (token === undefined || nowMs - readAtMs >= FILE_AGE_MS) {
      readAtMs = nowMs;
      const before = token;
      const read = readFile(name, 'utf8').then((text) => text.trim());
      // While it is being replaced, the one before is as good as none.
      token = before === undefined ? read : read.catch(() => before);
    }
    return token;
  };
}

/** Asked here because the error of grpc-js for a bad header quotes its value. */
function assertSendable(token: string): void {
  if (!SENDABLE.test(token)) throw new TypeError('token must be printable ASCII without spaces');
}

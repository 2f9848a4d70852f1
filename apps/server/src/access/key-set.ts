import {
  createLocalJWKSet,
  createRemoteJWKSet,
  jwksCache,
  type JSONWebKeySet,
  type JWKSCacheInput,
  type JWTVerifyGetKey,
} from 'jose';
import { describeError, type Logger } from '@callpass/program/log';
import { followFiles } from '../follow-files.ts';

/** The public keys of an issuer. */
export interface KeySet {
  readonly getKey: JWTVerifyGetKey;
  /** Changes whenever the keys were read again, so that nothing rests on a key that may be gone. */
  readonly version: number;
  stop(): void;
}

const TIMEOUT_MS = 3000;
/** At most one question for a key that is not known in this time, so that made-up key ids do not load the issuer. */
const COOLDOWN_MS = 30_000;
const REFRESH_MS = 600_000;
/** Keys that could not be read again for so long are not trusted any more. */
const MAX_AGE_MS = 24 * 3_600_000;

/**
 * Keys behind a URL. They are asked for at once and every ten minutes, and when a token names a key that is not among them.
 * While the issuer is away, the last keys stay in force for a day.
 */
export function remoteKeySet(url: string, log: Logger): KeySet {
  const cache: JWKSCacheInput = {};
  const keys = createRemoteJWKSet(new URL(url), {
    timeoutDuration: TIMEOUT_MS,
    cooldownDuration: COOLDOWN_MS,
    cacheMaxAge: MAX_AGE_MS,
    [jwksCache]: cache,
  });
  const refresh = () => {
    keys.reload().catch((error: unknown) => {
      log.warn({ url, error: describeError(error) }, 'cannot read the keys of an issuer of tokens');
    });
  };
  refresh();
  const timer = setInterval(refresh, REFRESH_MS).unref();
  return {
    getKey: keys,
    get version() {
      return 'uat' in cache ? Number(cache.uat) : 0;
    },
    stop: () => {
      clearInterval(timer);
    },
  };
}

/** Keys in a file, read again when it changes. Throws when it cannot be used at the start; later the last keys stay in force. */
export function fileKeySet(name: string, log: Logger): KeySet {
  let keys: JWTVerifyGetKey;
  let version = 0;
  const files = followFiles(
    [name],
    ([content]) => {
      keys = createLocalJWKSet(parsed(String(content)));
      version++;
    },
    (error) => {
      log.error({ file: name, error: describeError(error) }, 'keys not taken; the last ones stay in force');
    },
  );
  return {
    getKey: (header, token) => keys(header, token),
    get version() {
      return version;
    },
    stop: () => {
      files.stop();
    },
  };
}

/** The parser's own error quotes what it was given, and a file named by mistake may be a private key. */
function parsed(text: string): JSONWebKeySet {
  try {
    return JSON.parse(text) as JSONWebKeySet;
  } catch {
    throw new Error('is not JSON');
  }
}

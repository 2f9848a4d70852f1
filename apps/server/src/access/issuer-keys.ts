import {
  createLocalJWKSet,
  errors,
  type CryptoKey,
  type JSONWebKeySet,
  type JWTVerifyGetKey,
  type ProtectedHeaderParameters,
} from 'jose';

/** Public keys of an issuer, of one JSON Web Key Set (RFC 7517). */
export interface IssuerKeys {
  /**
   * The keys that may have signed a token with this header, at most {@link MAX_TRIED}: those with its `kid`, then those without
   * one. A token without `kid` may be of any key. Several keys may have one `kid` (RFC 7517, section 4.5).
   */
  fitting(header: ProtectedHeaderParameters): AsyncIterable<CryptoKey>;
}

/** Keys that are tried for one token. Each costs a verification, which anybody can ask for. */
export const MAX_TRIED = 8;

/**
 * Parses a key set, without the members that are no keys, as those of a kind that nobody knows (RFC 7517, section 5). Throws an error
 * without the text: a file named by mistake may hold a private key.
 */
export function parseIssuerKeys(text: string): IssuerKeys {
  const { keys: published } = parsed(text);
  const keys = [...new Map(published.map((key) => [JSON.stringify(key), key])).values()];
  const all = createLocalJWKSet({ keys });
  const unnamed = createLocalJWKSet({ keys: keys.filter(({ kid }) => kid === undefined) });
  return {
    async *fitting({ kid, ...header }) {
      let tried = 0;
      const named = kid === undefined ? [] : [matching(all, { ...header, kid })];
      for (const found of [...named, matching(kid === undefined ? all : unnamed, header)])
        for await (const key of found) {
          if (tried++ === MAX_TRIED) return;
          yield key;
        }
    },
  };
}

/** The keys of a set that a header matches. Those that cannot be used are left out. */
async function* matching(set: JWTVerifyGetKey, header: ProtectedHeaderParameters): AsyncGenerator<CryptoKey> {
  let only: CryptoKey;
  try {
    only = (await set(header as Parameters<JWTVerifyGetKey>[0], NO_TOKEN)) as CryptoKey;
  } catch (error) {
    if (error instanceof errors.JWKSMultipleMatchingKeys) yield* error;
    return;
  }
  yield only;
}

const NO_TOKEN = { payload: '', signature: '' };

function parsed(text: string): JSONWebKeySet {
  let set: unknown;
  try {
    set = JSON.parse(text);
  } catch {
    throw new Error('is not JSON');
  }
  const keys: unknown = typeof set === 'object' && set !== null && 'keys' in set ? set.keys : undefined;
  if (!Array.isArray(keys)) throw new Error('is no JSON Web Key Set: it has no list of keys');
  return { keys: keys.filter(isObject) as JSONWebKeySet['keys'] };
}

const isObject = (value: unknown) => typeof value === 'object' && value !== null && !Array.isArray(value);

import { decodeJwt, decodeProtectedHeader, errors, jwtVerify, type CryptoKey, type JWTPayload } from 'jose';
import { AuthenticationRefusal } from './fault.ts';
import type { KeySet } from './key-set.ts';

/** An issuer whose tokens are taken. */
export interface JwtIssuer {
  /** The claim `iss`. */
  readonly issuer: string;
  /** The claim `aud` must hold it. */
  readonly audience: string;
  readonly algorithms: readonly string[];
  readonly keys: KeySet;
}

/** Claims of a verified token that name its bearer. */
export interface JwtClaims {
  readonly issuer: string;
  readonly subject: string;
}

/** Verifies JSON Web Tokens (RFC 7519) and remembers those that it has verified until they expire. */
export interface JwtVerifier {
  /**
   * The claims, at once for a token that was verified before. `digest` is its SHA-256.
   *
   * @throws {AuthenticationRefusal} for a token that is not good now.
   */
  verify(token: string, digest: Buffer): JwtClaims | Promise<JwtClaims>;
  /** The claims of a token that was verified before and is still good; `undefined` for any other. */
  recall(digest: Buffer): JwtClaims | undefined;
}

interface Verified extends JwtClaims {
  readonly expireTimeMs: number;
  readonly keys: KeySet;
  readonly keysVersion: number;
}

const LOOKS_LIKE_JWT = /^[\w-]+\.[\w-]+\.[\w-]*$/;
/** Each entry is some 300 bytes. A client has one token at a time. */
const MAX_REMEMBERED = 10_000;
const TOLERANCE_SECONDS = 5;

/** Makes a verifier for tokens of these issuers. */
export function createJwtVerifier(issuers: readonly JwtIssuer[], clock: { now(): number }): JwtVerifier {
  const byName = new Map(issuers.map((issuer) => [issuer.issuer, issuer]));
  const remembered = new Map<string, Verified>();

  const verifyAnew = async (token: string, name: string): Promise<JwtClaims> => {
    const issuer = issuerOf(token, byName);
    const { keys } = issuer;
    // Before the keys, since others may come into force while the signature is checked.
    let keysVersion = keys.version;
    let payload = await payloadOf(token, issuer, clock.now());
    if (payload === undefined) {
      await keys.readAgain();
      if (keys.version !== keysVersion) {
        keysVersion = keys.version;
        payload = await payloadOf(token, issuer, clock.now());
      }
    }
    if (payload === undefined)
      throw new AuthenticationRefusal(keys.outOfReach ? 'TOKEN_KEYS_UNAVAILABLE' : 'TOKEN_NOT_ACCEPTED');
    const { sub, exp = 0 } = payload;
    // The library wants it to be there, but not to be a text.
    if (typeof sub !== 'string') throw new AuthenticationRefusal('TOKEN_NOT_ACCEPTED');
    const claims = { issuer: issuer.issuer, subject: sub };
    const oldest = remembered.size >= MAX_REMEMBERED ? remembered.keys().next().value : undefined;
    if (oldest !== undefined) remembered.delete(oldest);
    remembered.set(name, { ...claims, expireTimeMs: exp * 1000, keys, keysVersion });
    return claims;
  };

  const recall = (name: string): JwtClaims | undefined => {
    const known = remembered.get(name);
    if (known === undefined) return undefined;
    if (known.keys.version === known.keysVersion && clock.now() < known.expireTimeMs) return known;
    remembered.delete(name);
    return undefined;
  };

  return {
    verify(token, digest) {
      if (byName.size === 0 || !LOOKS_LIKE_JWT.test(token)) throw new AuthenticationRefusal('UNKNOWN');
      const name = digest.toString('base64');
      return recall(name) ?? verifyAnew(token, name);
    },
    recall: (digest) => recall(digest.toString('base64')),
  };
}

function issuerOf(token: string, byName: ReadonlyMap<string, JwtIssuer>): JwtIssuer {
  let name: unknown;
  try {
    name = decodeJwt(token).iss;
  } catch (error) {
    throw new AuthenticationRefusal('TOKEN_NOT_ACCEPTED', error);
  }
  const issuer = typeof name === 'string' ? byName.get(name) : undefined;
  if (issuer === undefined) throw new AuthenticationRefusal('TOKEN_NOT_ACCEPTED');
  return issuer;
}

/**
 * The claims of a token that a key of its issuer has signed; `undefined` where none has. Each fitting key is tried.
 *
 * @throws {AuthenticationRefusal} for a token that is no good, whoever has signed it.
 */
async function payloadOf(token: string, issuer: JwtIssuer, nowMs: number): Promise<JWTPayload | undefined> {
  try {
    const header = decodeProtectedHeader(token);
    if (!issuer.algorithms.includes(String(header.alg)))
      throw new AuthenticationRefusal('TOKEN_NOT_ACCEPTED');
    for await (const key of issuer.keys.keys?.fitting(header) ?? []) {
      const payload = await verifyWith(key, token, issuer, nowMs);
      if (payload !== undefined) return payload;
    }
    return undefined;
  } catch (error) {
    if (error instanceof AuthenticationRefusal) throw error;
    const fault = error instanceof errors.JWTExpired ? 'TOKEN_EXPIRED' : 'TOKEN_NOT_ACCEPTED';
    throw new AuthenticationRefusal(fault, error);
  }
}

async function verifyWith(
  key: CryptoKey,
  token: string,
  { issuer, audience, algorithms }: JwtIssuer,
  nowMs: number,
): Promise<JWTPayload | undefined> {
  try {
    const { payload } = await jwtVerify(token, key, {
      issuer,
      audience,
      algorithms: [...algorithms],
      requiredClaims: ['exp', 'sub'],
      clockTolerance: TOLERANCE_SECONDS,
      currentDate: new Date(nowMs),
    });
    return payload;
  } catch (error) {
    // A TypeError is about the key, for example one that is too short for the algorithm.
    if (error instanceof errors.JWSSignatureVerificationFailed || error instanceof TypeError)
      return undefined;
    throw error;
  }
}

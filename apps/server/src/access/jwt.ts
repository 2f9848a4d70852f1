import { decodeJwt, errors, jwtVerify } from 'jose';
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
    let keysVersion = NaN;
    const getKey: KeySet['getKey'] = async (header, parts) => {
      const key = await issuer.keys.getKey(header, parts);
      // With the key, since they may be read again while the signature is checked.
      keysVersion = issuer.keys.version;
      return key;
    };
    const { payload } = await jwtVerify(token, getKey, {
      issuer: issuer.issuer,
      audience: issuer.audience,
      algorithms: [...issuer.algorithms],
      requiredClaims: ['exp', 'sub'],
      clockTolerance: TOLERANCE_SECONDS,
      currentDate: new Date(clock.now()),
    }).catch((error: unknown) => {
      throw new AuthenticationRefusal(faultOf(error), error);
    });
    const { sub, exp = 0 } = payload;
    // The library wants it to be there, but not to be a text.
    if (typeof sub !== 'string') throw new AuthenticationRefusal('TOKEN_NOT_ACCEPTED');
    const claims = { issuer: issuer.issuer, subject: sub };
    const oldest = remembered.size >= MAX_REMEMBERED ? remembered.keys().next().value : undefined;
    if (oldest !== undefined) remembered.delete(oldest);
    remembered.set(name, { ...claims, expireTimeMs: exp * 1000, keys: issuer.keys, keysVersion });
    return claims;
  };

  return {
    verify(token, digest) {
      if (byName.size === 0 || !LOOKS_LIKE_JWT.test(token)) throw new AuthenticationRefusal('UNKNOWN');
      const name = digest.toString('base64');
      const known = remembered.get(name);
      if (known !== undefined) {
        if (known.keys.version === known.keysVersion && clock.now() < known.expireTimeMs) return known;
        remembered.delete(name);
      }
      return verifyAnew(token, name);
    },
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

function faultOf(error: unknown) {
  if (error instanceof errors.JWTExpired) return 'TOKEN_EXPIRED';
  if (error instanceof errors.JWKSTimeout) return 'TOKEN_KEYS_UNAVAILABLE';
  // What is not about the token is about getting the keys.
  const aboutToken = error instanceof errors.JOSEError && error.code !== 'ERR_JOSE_GENERIC';
  return aboutToken ? 'TOKEN_NOT_ACCEPTED' : 'TOKEN_KEYS_UNAVAILABLE';
}

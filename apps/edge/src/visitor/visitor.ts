import { createHmac, hkdfSync, randomBytes } from 'node:crypto';
import type { IncomingMessage } from 'node:http';
import signed from '@fastify/cookie';
import { parseCookie, stringifySetCookie } from 'cookie';
import { idempotencyKeyOf } from './idempotency-key.ts';
import type { Proxies } from './proxies.ts';

/** A visitor, with the cookie by which they are recognised next time. */
export interface Visitor {
  /** Goes to the service as the subject, which keeps a keyed hash of it only. */
  readonly id: string;
  /** `true` for a visitor without a valid cookie, who is known by the address only. */
  readonly isNew: boolean;
  /** Value for `Set-Cookie`, where there is something to set. */
  readonly setCookie: string | undefined;
}

/** Options for recognising visitors. */
export interface VisitorOptions {
  /**
   * Secrets that sign the cookie, 32 characters or more each. The first signs, all are recognised: put a new one in front,
   * and take the old one away when its cookies have run out. Left out, one is made: then visitors are new after each
   * start, and instances do not recognise each other's.
   */
  readonly secrets?: readonly string[] | undefined;
  /** Lower-case name of the header in which a listed proxy says who the visitor is; it counts from nobody else. */
  readonly header?: string | undefined;
  /** `SameSite` of the cookie; `none` for pages on another site, and then over HTTPS only. Default `lax`. */
  readonly sameSite?: 'lax' | 'strict' | 'none' | undefined;
  /** Lifetime of the cookie in the browser, in ms. Default: 30 days. */
  readonly lifetimeMs?: number | undefined;
}

const ID_BYTES = 16;
const ID = /^[\w-]{22}$/;
const LEAST_SECRET_LENGTH = 32;
const MAX_HEADER_BYTES = 256;
const THIRTY_DAYS_MS = 30 * 24 * 3600 * 1000;
const NAME = 'callpass-visitor';
/** Over HTTPS the prefix makes browsers refuse a cookie that another host or a plain-text page has planted (RFC 6265bis). */
const SECURE_NAME = `__Host-${NAME}`;

/**
 * Recognises visitors. A cookie that was forged, cut or signed with a secret that is gone makes a new visitor, and no error. The
 * id of a new visitor is random, or derived from the `Idempotency-Key`: a retry without a cookie is the same visitor.
 */
export function createVisitors(
  options: VisitorOptions,
  proxies: Proxies,
): (request: IncomingMessage) => Visitor {
  const { header, sameSite = 'lax', lifetimeMs = THIRTY_DAYS_MS } = options;
  const secrets = options.secrets?.length ? [...options.secrets] : [randomBytes(32).toString('base64')];
  if (secrets.some(({ length }) => length < LEAST_SECRET_LENGTH)) {
    throw new TypeError(
      `visitor.secrets: each must have ${LEAST_SECRET_LENGTH} characters or more; make one with: openssl rand -base64 32`,
    );
  }
  const signer = new signed.Signer(secrets);
  const recognise = createRecognition(signer);
  const newId = createNewIds(secrets[0] as string);

  const give = (id: string, secure: boolean) =>
    stringifySetCookie({
      name: secure ? SECURE_NAME : NAME,
      value: signer.sign(id),
      httpOnly: true,
      maxAge: Math.floor(lifetimeMs / 1000),
      path: '/',
      sameSite,
      // Browsers take SameSite=None over HTTPS only; there is no use in sending it otherwise.
      secure: secure || sameSite === 'none',
    });

  return (request) => {
    const named = header === undefined || !proxies.sentBy(request) ? undefined : request.headers[header];
    if (typeof named === 'string' && named !== '' && Buffer.byteLength(named) <= MAX_HEADER_BYTES) {
      return { id: named, isNew: false, setCookie: undefined };
    }
    const secure = proxies.schemeOf(request) === 'https';
    const sent = cookieNamed(secure ? SECURE_NAME : NAME, request.headers.cookie);
    const recognised = sent === undefined ? undefined : recognise(sent);
    if (recognised !== undefined) {
      const { id, isFormer } = recognised;
      return { id, isNew: false, setCookie: isFormer ? give(id, secure) : undefined };
    }
    const id = newId(request);
    return { id, isNew: true, setCookie: give(id, secure) };
  };
}

/** Cookies whose signatures are remembered. */
const MAX_REMEMBERED = 10_000;

interface Recognised {
  readonly id: string;
  /** Signed with a secret that is not the first any more. */
  readonly isFormer: boolean;
}

/**
 * Creates the check of a cookie's signature. Those that were right are remembered, since a visitor asks several times: a look-up
 * takes a tenth of the time of a signature. It goes by a hash of the whole text under a seed of the process, so its time says
 * nothing of a part of it.
 */
function createRecognition(signer: signed.Signer): (cookie: string) => Recognised | undefined {
  const remembered = new Map<string, Recognised>();
  return (cookie) => {
    const known = remembered.get(cookie);
    if (known !== undefined) return known;
    const { valid, value, renew } = signer.unsign(cookie);
    if (!valid || !ID.test(value)) return undefined;
    const recognised = { id: value, isFormer: renew };
    if (remembered.size >= MAX_REMEMBERED) remembered.delete(remembered.keys().next().value as string);
    remembered.set(cookie, recognised);
    return recognised;
  };
}

/** The secret has signed cookies already, so ids are derived with a key of their own (HKDF, RFC 5869). */
function createNewIds(secret: string): (request: IncomingMessage) => string {
  const derivationKey = Buffer.from(hkdfSync('sha256', secret, '', 'callpass edge visitor of a key', 32));
  return ({ headers }) => {
    const key = idempotencyKeyOf(headers);
    const id =
      key === undefined
        ? randomBytes(ID_BYTES)
        : createHmac('sha256', derivationKey).update(key).digest().subarray(0, ID_BYTES);
    return id.toString('base64url');
  };
}

function cookieNamed(name: string, header: string | undefined): string | undefined {
  if (header === undefined || !header.includes(name)) return undefined;
  return parseCookie(header)[name];
}

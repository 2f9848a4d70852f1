import { MAX_TOKEN_CHARACTERS } from '../cipher/engine.ts';

/** Step of a call that a request to the vendor's WebRTC gateway asks for. */
export type GatewayStep =
  'SUBSCRIBE' | 'RENEW_SUBSCRIPTION' | 'END_SUBSCRIPTION' | 'START_CALL' | 'CONTINUE_CALL' | 'END_CALL';

/** A request to the vendor's WebRTC gateway, as a proxy in front of it has received it. */
export interface GatewayHttpRequest {
  /** Method, in capitals as it is sent. */
  readonly method: string;
  /** Path and query as they are sent, not decoded and not normalised. */
  readonly uri: string;
  /** Body as text. Undefined or empty: none, or the proxy does not pass it on. Only that of `START_CALL` is read. */
  readonly body?: string | undefined;
}

/** Tokens that a request to the vendor's WebRTC gateway presents. None of them is verified. */
export interface GatewayRequest {
  readonly step: GatewayStep;
  readonly realm: string;
  readonly accountToken: string;
  /** The rest of the set, and the notification channel of the session that the call belongs to. With a body of `START_CALL` only. */
  readonly callStart?: {
    readonly fromToken: string;
    readonly toToken: string;
    readonly channelId: string;
  };
}

const MAX_URI_CHARACTERS = 2 * MAX_TOKEN_CHARACTERS;
const MAX_REALM_CHARACTERS = 128;
const MAX_ID_CHARACTERS = 256;

/** Every character of a token of either cipher. */
const TOKEN = new RegExp(`^[0-9A-Za-z]{32,${MAX_TOKEN_CHARACTERS}}$`);
const PATH = /^\/rest\/version\/1\/anonymous\/([0-9A-Za-z]+)\/([^?#]+)$/;
const QUERY = /^tokenrealm=((?:[\w.~!$'()*,;:@/-]|%[\dA-Fa-f]{2})+)$/;
/** Printable ASCII without the percent sign: what still has one was encoded twice. */
const REALM = new RegExp(`^[\\x20-\\x24\\x26-\\x7e]{1,${MAX_REALM_CHARACTERS}}$`);

/** Id that the gateway gave; one of dots only would be another path. */
const ID = `(?!\\.+$)[\\w.~:@-]{1,${MAX_ID_CHARACTERS}}`;
const CHANNEL_ID = new RegExp(`^${ID}$`);

/** Every request of the SDK that carries tokens: method, and what follows the account token in the path. */
const STEPS: readonly (readonly [method: string, path: RegExp, step: GatewayStep])[] = [
  ['POST', /^subscription$/, 'SUBSCRIBE'],
  ['PUT', new RegExp(`^subscription/${ID}$`), 'RENEW_SUBSCRIPTION'],
  ['DELETE', new RegExp(`^subscription/${ID}$`), 'END_SUBSCRIPTION'],
  ['POST', /^callMe$/, 'START_CALL'],
  ['PUT', new RegExp(`^callMe/callSessions/${ID}$`), 'CONTINUE_CALL'],
  ['DELETE', new RegExp(`^callMe/callSessions/${ID}$`), 'END_CALL'],
];

const START_MEMBERS: readonly string[] = [
  ...['type', 'to', 'from', 'sdp', 'notifyChannelId'],
  ...['supported', 'customParameters', 'customBodies'],
];

/**
 * Reads the tokens of a request as the vendor's SDK writes it. `undefined` for everything else, so that two programs cannot
 * understand one request differently: other methods, paths and members of the query, repeated ones, encoded characters of the
 * path, a realm that is encoded twice, and a body that is not to the byte what `JSON.stringify` writes, which a repeated member
 * never is.
 *
 * @example
 * const request = readGatewayRequest({
 *   method: 'POST',
 *   uri: `/rest/version/1/anonymous/${'AB'.repeat(32)}/subscription?tokenrealm=support.example`,
 * });
 * console.log(`${request?.step} ${request?.realm}`); // SUBSCRIBE support.example
 */
export function readGatewayRequest({ method, uri, body }: GatewayHttpRequest): GatewayRequest | undefined {
  if (uri.length > MAX_URI_CHARACTERS) return undefined;
  const [path = '', query = '', ...more] = uri.split('?');
  const [, accountToken = '', rest = ''] = PATH.exec(path) ?? [];
  const step = STEPS.find(([name, form]) => name === method && form.test(rest))?.[2];
  const realm = readRealm(query);
  if (more.length > 0 || step === undefined || realm === undefined || !TOKEN.test(accountToken))
    return undefined;
  const request = { step, realm, accountToken };
  if (step !== 'START_CALL' || body === undefined || body === '') return request;
  const callStart = readCallStart(body);
  return callStart && { ...request, callStart };
}

function readRealm(query: string): string | undefined {
  const [, encoded] = QUERY.exec(query) ?? [];
  if (encoded === undefined) return undefined;
  try {
    const realm = decodeURIComponent(encoded);
    return REALM.test(realm) ? realm : undefined;
  } catch {
    return undefined;
  }
}

function readCallStart(body: string): GatewayRequest['callStart'] {
  const { callMeRequest: start, ...others } = readCanonicalJson(body) ?? {};
  if (!isObject(start) || Object.keys(others).length > 0) return undefined;
  if (!Object.keys(start).every((name) => START_MEMBERS.includes(name))) return undefined;
  const { type, from, to, sdp, notifyChannelId } = start;
  const isStart = type === 'callStart' && typeof sdp === 'string';
  const isWhole = isText(from, TOKEN) && isText(to, TOKEN) && isText(notifyChannelId, CHANNEL_ID);
  return isStart && isWhole ? { fromToken: from, toToken: to, channelId: notifyChannelId } : undefined;
}

function readCanonicalJson(text: string): Record<string, unknown> | undefined {
  try {
    const value: unknown = JSON.parse(text);
    return isObject(value) && JSON.stringify(value) === text ? value : undefined;
  } catch {
    return undefined;
  }
}

const isObject = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

const isText = (value: unknown, form: RegExp): value is string =>
  typeof value === 'string' && form.test(value);

/** Tokens of a call, as they were issued together. */
export interface TokenSet {
  readonly accountToken: string;
  readonly fromToken: string;
  readonly toToken: string;
  readonly realm: string;
}

/** A request to the vendor's WebRTC gateway, its path as it is sent. */
export interface GatewayHttp {
  readonly method: string;
  readonly path: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
}

/** Tokens that requests are manipulated with. */
export interface Material {
  /** A fresh set, of AES_256_CBC_HMAC_SHA256. */
  readonly a: TokenSet;
  /** Another one of the same destination. */
  readonly b: TokenSet;
  /** An account token that the key of its realm opens, but that was not issued, as a spliced one. */
  readonly madeUp: Pick<TokenSet, 'accountToken' | 'realm'>;
}

const SUBSCRIBE = JSON.stringify({
  subscribeRequest: { expires: 3600, service: ['callMe'], notificationType: 'WebSocket' },
});
const JSON_TYPE = { 'content-type': 'application/json' };

const base = ({ accountToken }: Pick<TokenSet, 'accountToken'>) =>
  `/rest/version/1/anonymous/${accountToken}`;

/** Path of a request with tokens, with its query. */
export const gatewayPath = (tokens: Pick<TokenSet, 'accountToken' | 'realm'>, path: string) =>
  `${base(tokens)}${path}?tokenrealm=${tokens.realm}`;

/** A request without a body. */
export const gatewayRequest = (method: string, path: string): GatewayHttp => ({
  ...{ method, path, headers: {}, body: '' },
});

/** The request that opens a session, as the vendor's SDK sends it; with another path where one is given. */
export const subscribeRequest = (
  tokens: Pick<TokenSet, 'accountToken' | 'realm'>,
  path = gatewayPath(tokens, '/subscription'),
): GatewayHttp => ({ method: 'POST', path, headers: JSON_TYPE, body: SUBSCRIBE });

/** The request that starts a call, as the vendor's SDK sends it; with other members of its body where they are given. */
export const startRequest = (tokens: TokenSet, members: object = {}): GatewayHttp => ({
  method: 'POST',
  path: gatewayPath(tokens, '/callMe'),
  headers: JSON_TYPE,
  body: JSON.stringify({
    callMeRequest: {
      ...{ type: 'callStart', to: tokens.toToken, from: tokens.fromToken, sdp: 'v=0' },
      ...{ notifyChannelId: 'no-channel', ...members },
    },
  }),
});

const atPath = (of: (material: Material) => string) => (material: Material) =>
  subscribeRequest(material.a, of(material));
const atSubscription = (path: string) => atPath(({ a }) => gatewayPath(a, path));
const withAccountToken = (of: (material: Material) => string) =>
  atPath((material) => gatewayPath({ ...material.a, accountToken: of(material) }, '/subscription'));
const asCall = (manipulate: (call: GatewayHttp, material: Material) => Partial<GatewayHttp>) => {
  return (material: Material): GatewayHttp => {
    const call = startRequest(material.a);
    return { ...call, ...manipulate(call, material) };
  };
};

/** Requests of which no door may let anything through, each with what is wrong with it. */
export const MANIPULATED_REQUESTS: readonly (readonly [string, (material: Material) => GatewayHttp])[] = [
  ['no token', atPath(({ a }) => `/rest/version/1/anonymous//subscription?tokenrealm=${a.realm}`)],
  ['half a token', withAccountToken(({ a }) => a.accountToken.slice(0, 80))],
  [
    'a changed digit',
    withAccountToken(({ a }) => a.accountToken.replace(/.$/, (it) => (it === '0' ? '1' : '0'))),
  ],
  ['a from token as account token', withAccountToken(({ a }) => a.fromToken)],
  [
    'a token that the realm’s key opens but that was not issued, as a spliced one',
    ({ madeUp }) => subscribeRequest(madeUp),
  ],
  ['the other realm', ({ a, madeUp }) => subscribeRequest({ ...a, realm: madeUp.realm })],
  ['no realm', atPath(({ a }) => `${base(a)}/subscription`)],
  ['the realm twice', atPath(({ a }) => `${gatewayPath(a, '/subscription')}&tokenrealm=${a.realm}`)],
  ['another member of the query', atPath(({ a }) => `${gatewayPath(a, '/subscription')}&x=1`)],
  [
    'a realm encoded twice',
    ({ a }) => subscribeRequest({ ...a, realm: a.realm.replace('.example', '%252Eexample') }),
  ],
  ['an encoded slash', atSubscription('%2Fsubscription')],
  ['an encoded letter', atSubscription('/%73ubscription')],
  [
    'a token with an encoded character',
    withAccountToken(({ a }) => a.accountToken.replace(/^./, (it) => `%${it.charCodeAt(0).toString(16)}`)),
  ],
  ['a token with an encoded space', withAccountToken(({ a }) => `${a.accountToken}%20`)],
  ['a letter encoded twice', atSubscription('/%2573ubscription')],
  ['dots', atSubscription('/x/../subscription')],
  ['encoded dots', atSubscription('/x/%2e%2e/subscription')],
  ['a slash twice', atSubscription('//subscription')],
  ['a parameter of a segment', withAccountToken(({ a }) => `${a.accountToken};x=1`)],
  ['another version', atPath(({ a }) => gatewayPath(a, '/subscription').replace('/1/', '/2/'))],
  ['another method', ({ a }) => gatewayRequest('GET', gatewayPath(a, '/subscription'))],
  ['a method that is unknown', ({ a }) => ({ ...subscribeRequest(a), method: 'PATCH' })],
  ['an unrestricted call', atPath(() => '/rest/version/1/anonymous/lobby@kandy.example/subscription')],
  ['64 KiB of token', withAccountToken(({ a }) => a.accountToken + '0'.repeat(65_536))],
  [
    'the good path in a header',
    ({ a }) => {
      const good = gatewayPath(a, '/subscription');
      const other = subscribeRequest({ ...a, accountToken: a.toToken });
      return { ...other, headers: { ...other.headers, 'x-original-uri': good, 'x-forwarded-uri': good } };
    },
  ],
  ['the control of the sandbox', () => gatewayRequest('GET', '/sandbox/portal')],
  ['a path through the channel', atPath(({ a }) => `/websocket/..%2f..${gatewayPath(a, '/subscription')}`)],
  ['a path into the channel', ({ a }) => gatewayRequest('GET', `${base(a)}/../../../../../websocket/x`)],
  ['a call with another callee', ({ a, b }) => startRequest({ ...a, toToken: b.toToken })],
  ['a call with swapped tokens', ({ a }) => startRequest({ ...a, toToken: a.accountToken })],
  ['a call without a body', asCall(() => ({ headers: {}, body: '' }))],
  ['a call with half a set', ({ a }) => startRequest(a, { from: undefined })],
  [
    'a call with two callees',
    asCall(({ body }, { b }) => ({ body: body.replace('"to":', `"to":"${b.toToken}","to":`) })),
  ],
  ['a call with a name in escapes', asCall(({ body }) => ({ body: body.replace('"to"', '"\\u0074o"') }))],
  ['a call as a form', asCall(() => ({ headers: { 'content-type': 'application/x-www-form-urlencoded' } }))],
  [
    'a call with an encoding',
    asCall(({ headers }) => ({ headers: { ...headers, 'content-encoding': 'gzip' } })),
  ],
  ['a call by another method', asCall(() => ({ method: 'PUT' }))],
  ['a call larger than 256 KiB', ({ a }) => startRequest(a, { sdp: 'a'.repeat(262_144) })],
];

const lowerCase = (text: string) => text.toLowerCase();
const mixedCase = (text: string) => text.slice(0, 9).toLowerCase() + text.slice(9);

/**
 * Requests with tokens of AES_128_ECB in each form in which they stay what they are: any case of the hexadecimal, in all tokens
 * or some, from and to swapped, an encoded realm.
 */
export function rewrittenRequests(tokens: TokenSet): GatewayHttp[] {
  const { accountToken, fromToken, toToken, realm } = tokens;
  return [String, lowerCase, mixedCase].flatMap((form) => {
    const set = { ...tokens, accountToken: form(accountToken) };
    const [from, to] = [form(fromToken), form(toToken)];
    return [
      ...[realm, realm.replace('.', '%2e'), realm.replace('e', '%65')].map((written) =>
        subscribeRequest({ ...set, realm: written }),
      ),
      startRequest(set),
      startRequest({ ...set, fromToken: from, toToken: to }),
      startRequest({ ...set, fromToken: to, toToken: from }),
      startRequest({ ...tokens, fromToken: from }),
      gatewayRequest('PUT', gatewayPath(set, '/callMe/callSessions/1')),
    ];
  });
}

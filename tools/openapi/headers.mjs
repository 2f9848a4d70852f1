// Headers of the edge's requests and answers, which its plugin reads and sets for all routes alike.

const header = (description, example, type = 'string') => ({ description, schema: { type }, example });

/** Headers of answers. */
export const HEADERS = {
  Date: header(
    'Time of the edge, by which a page finds how its clock differs',
    'Tue, 03 Mar 2026 08:00:00 GMT',
  ),
  RateLimit: header(
    'Requests that are left of each limit that this one was counted in (`r`), and seconds to the end of its window (`t`); draft-ietf-httpapi-ratelimit-headers',
    '"address";r=297;t=41, "visitor";r=29;t=58',
  ),
  'RateLimit-Policy': header(
    'Limits: requests (`q`) in a window of seconds (`w`). `visitor` is for visitors with a cookie',
    '"address";q=300;w=60, "visitor";q=30;w=60',
  ),
  'X-Callpass-Reason': header(
    'Cause of a refusal, for the proxy: a verdict of the service, or one of the edge’s own',
    'NOT_ISSUED_HERE',
  ),
  'Retry-After': header('Time to wait before the next try, in seconds', 1, 'integer'),
  'Set-Cookie': header(
    'Cookie of a new visitor',
    '__Host-callpass-visitor=q83vEjRWeJq83vEjRWeJqw.c2lnbmF0dXJl; Max-Age=2592000; Path=/; HttpOnly; Secure; SameSite=Lax',
  ),
};

const text = (schema = {}) => ({ type: 'string', ...schema });
const ofHeader = (name, description, example) => ({
  name,
  in: 'header',
  description,
  schema: text(),
  example,
});

/** Parameters of requests besides those of the routes' schemas. */
export const PARAMETERS = {
  Visitor: {
    name: '__Host-callpass-visitor',
    in: 'cookie',
    description: 'Cookie of a visitor who is known; without HTTPS its name is `callpass-visitor`',
    schema: text(),
    example: 'q83vEjRWeJq83vEjRWeJqw.c2lnbmF0dXJl',
  },
  Traceparent: ofHeader(
    'traceparent',
    'Trace of the page (W3C Trace Context), which the edge continues',
    '00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01',
  ),
  OriginalMethod: ofHeader(
    'X-Original-Method',
    'Method of the original request; or `X-Forwarded-Method`',
    'POST',
  ),
  OriginalUri: ofHeader(
    'X-Original-URI',
    'Path and query of the original request as they were received; or `X-Forwarded-Uri`',
    '/rest/version/1/anonymous/9F4C…/subscription?tokenrealm=example.com',
  ),
  HumanCheck: ofHeader(
    'Callpass-Human-Check',
    'Proof of the human check, where one is enabled',
    'eyJjaGFsbGVuZ2UiOnt9fQ==',
  ),
};

const PROBES = ['getLiveness', 'getReadiness'];

/** References to the headers of an answer of a kind of operations with a status. */
export function headersOf(kind, status) {
  const isAuthorization = kind === 'authorize';
  const isCounted = !isAuthorization && !PROBES.includes(kind);
  const names = [
    'Date',
    ...(isCounted ? ['RateLimit', 'RateLimit-Policy'] : []),
    ...(kind === 'issue' ? ['Set-Cookie'] : []),
    ...(isAuthorization && status >= 400 ? ['X-Callpass-Reason'] : []),
    ...(status === 429 || status === 503 ? ['Retry-After'] : []),
  ];
  return Object.fromEntries(names.map((name) => [name, { $ref: `#/components/headers/${name}` }]));
}

/** References to the parameters of a kind of operations. */
export function parametersOf(kind) {
  const names = [
    'Traceparent',
    ...(kind === 'authorize' ? ['OriginalMethod', 'OriginalUri'] : []),
    ...(kind === 'issue' ? ['Visitor', 'HumanCheck'] : []),
  ];
  return names.map((name) => ({ $ref: `#/components/parameters/${name}` }));
}

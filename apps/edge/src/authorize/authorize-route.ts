import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { enumNames, Verdict } from '@callpass/contract';
import { readGatewayRequest } from '@callpass/token-core';
import { AUTHORIZE, HIDDEN } from '../routes/schemas.ts';
import { createSingleUse } from '../single-use/single-use.ts';
import { createProxies } from '../visitor/proxies.ts';
import type { AuthorizeOptions } from './options.ts';
import { originalRequestOf } from './original-request.ts';
import { notAuthorized, unavailable } from './refusal.ts';
import { verifyTokens, type VerifyParts } from './verify-tokens.ts';

/** Path of the route, below the prefix of the plugin. */
const AUTHORIZE_PATH = '/v1/authorize';

const verdictName = enumNames(Verdict);

/** A named location of NGINX. */
const NAMED_LOCATION = /^@[\w-]+$/;

/**
 * Adds `GET|POST /v1/authorize`: 204 for a request to the vendor's WebRTC gateway whose tokens verify, 403 for every other, 503 while
 * nobody can say. Neither the original path nor a body is logged.
 *
 * Throws TypeError on options that cannot be used.
 */
export function addAuthorizeRoute(
  scope: FastifyInstance,
  { authorize, ...parts }: VerifyParts & { readonly authorize: AuthorizeOptions },
): void {
  const { callStart = 'body', accelRedirect } = authorize;
  assertUsable(authorize);
  const realms = new Set(authorize.realms);
  const proxies = createProxies(authorize.proxies);
  const singleUse = authorize.singleUse && createSingleUse(authorize.singleUse);
  scope.addHook('onRequest', async ({ raw }) => {
    if (!proxies.sentBy(raw)) throw notAuthorized('PROXY_NOT_LISTED');
  });
  // The handler reads the body itself: also that of a GET, which Traefik sends.
  scope.removeAllContentTypeParsers();
  scope.addContentTypeParser('*', (_request, _body, done) => done(null));

  const route = { url: AUTHORIZE_PATH, config: { cors: false } };
  const authorizeOriginal = async (request: FastifyRequest, reply: FastifyReply) => {
    const original = await originalRequestOf(request.raw);
    const presented = original && readGatewayRequest(original);
    if (presented === undefined) throw notAuthorized('REQUEST_NOT_UNDERSTOOD');
    const { step, realm } = presented;
    if (!realms.has(realm)) throw notAuthorized('REALM_NOT_LISTED');
    if (step === 'START_CALL' && callStart === 'body' && presented.callStart === undefined)
      throw notAuthorized('CALL_BODY_MISSING');
    const { verdict, expireTimeMs } = await verifyTokens(parts, presented);
    if (verdict !== Verdict.VALID) throw notAuthorized(verdictName(verdict));
    const use = await singleUse?.use(presented, expireTimeMs);
    if (use === 'USED') throw notAuthorized('TOKEN_USED');
    if (use === 'UNKNOWN') throw unavailable(new Error('the sessions are out of reach'));
    if (accelRedirect !== undefined && request.method === 'POST')
      void reply.header('x-accel-redirect', accelRedirect);
    return reply.code(204).send();
  };
  for (const method of ['GET', 'POST'] as const) {
    scope.route({
      ...route,
      method,
      exposeHeadRoute: false,
      schema: AUTHORIZE[method],
      handler: authorizeOriginal,
    });
  }
  // Without a route of its own a preflight would be answered for the pages of listed origins, with 204.
  scope.route({
    ...route,
    method: 'OPTIONS',
    schema: HIDDEN,
    async handler() {
      throw notAuthorized('REQUEST_NOT_UNDERSTOOD');
    },
  });
}

function assertUsable({ realms, proxies, accelRedirect }: AuthorizeOptions): void {
  if (realms.length === 0 || proxies.length === 0)
    throw new TypeError('authorize.realms and authorize.proxies: give both, or neither');
  if (accelRedirect !== undefined && !NAMED_LOCATION.test(accelRedirect))
    throw new TypeError(
      'authorize.accelRedirect: expected a named location of NGINX, such as @webrtc_gateway',
    );
}

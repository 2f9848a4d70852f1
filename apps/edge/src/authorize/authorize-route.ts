import { randomBytes } from 'node:crypto';
import type { FastifyError, FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import type { GatewayRequest } from '@callpass/token-core';
import { createSingleUse, decideGatewayRequest } from '@callpass/token-core/gateway';
import { EdgeProblem } from '../problems/problem.ts';
import { AUTHORIZE, HIDDEN } from '../routes/schemas.ts';
import { createProxies } from '../visitor/proxies.ts';
import type { AuthorizeOptions, SingleUseOptions } from './options.ts';
import { originalRequestOf } from './original-request.ts';
import { notAuthorized, proxyNotListed, unavailable } from './refusal.ts';
import { verifyTokens, type VerifyParts } from './verify-tokens.ts';

/** Path of the route, below the prefix of the plugin. */
const AUTHORIZE_PATH = '/v1/authorize';

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
  const proxies = createProxies(authorize.proxies, 'authorize.proxies');
  const rules = { callStart, singleUse: authorize.singleUse && singleUseOf(authorize.singleUse) };
  const verifier = {
    isListed: (realm: string) => realms.has(realm),
    verify: (request: GatewayRequest, ignoreExpiry: boolean) =>
      verifyTokens(parts, request, ignoreExpiry).catch((cause: unknown) => {
        throw unavailable(cause);
      }),
  };
  scope.addHook('onRequest', async ({ raw }) => {
    if (!proxies.sentBy(raw)) throw proxyNotListed();
  });
  // What Fastify refuses by itself, such as a type of a body that is none, has the cause and the members too.
  scope.setErrorHandler<FastifyError>((error) => {
    const { statusCode = 500 } = error;
    throw error instanceof EdgeProblem || statusCode >= 500 ? error : notAuthorized('REQUEST_NOT_UNDERSTOOD');
  });
  // The handler reads the body itself: also that of a GET, which Traefik sends.
  scope.removeAllContentTypeParsers();
  scope.addContentTypeParser('*', (_request, _body, done) => done(null));

  const route = { url: AUTHORIZE_PATH, config: { cors: false } };
  const authorizeOriginal = async (request: FastifyRequest, reply: FastifyReply) => {
    const decision = await decideGatewayRequest(await originalRequestOf(request.raw), rules, verifier);
    if (decision === 'SERVICE_UNAVAILABLE')
      throw unavailable(new Error('the newest state or the used tokens are out of reach'));
    if (decision !== 'LET_THROUGH') throw notAuthorized(decision);
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

function singleUseOf({ store, secret, whenUnavailable = 'refuse' }: SingleUseOptions) {
  return createSingleUse({
    claim: store.claim.bind(store),
    secret: secret ?? randomBytes(32),
    whenUnavailable,
    nowMs: () => Date.now(),
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

import AjvCompiler from '@fastify/ajv-compiler';
import cors from '@fastify/cors';
import type { FastifyInstance, FastifyPluginAsync, FastifyReply, FastifyRequest } from 'fastify';
import { problemLinks } from '@callpass/contract';
import { httpTelemetry } from '@callpass/telemetry';
import { addAuthorizeRoute } from '../authorize/authorize-route.ts';
import { HUMAN_CHECK_HEADER, HUMAN_CHECK_PATH, type HumanCheck } from '../human-check/human-check.ts';
import { EdgeProblem } from '../problems/problem.ts';
import { addOpenapi } from '../openapi.ts';
import { addIssueRoutes } from '../routes/issue-routes.ts';
import { addProbes } from '../routes/probes.ts';
import { CREDENTIALS, CHALLENGE } from '../routes/schemas.ts';
import { createProxies, type Proxies } from '../visitor/proxies.ts';
import { createVisitors } from '../visitor/visitor.ts';
import {
  CLIENT_CLOSED_REQUEST,
  createSendProblem,
  type EdgeState,
  HEADERS,
  STRICT_TRANSPORT,
} from './exchange.ts';
import { createLimits } from './limits.ts';
import { notFound } from './not-found.ts';
import { DEFAULT_LIMITS, DEFAULT_MAX_BODY_BYTES, DEFAULT_TIMEOUT_MS, type EdgeOptions } from './options.ts';
import { createOrigins, EXPOSED_HEADERS, type Origins } from './origins.ts';

/**
 * The edge as a plugin of Fastify: credentials over HTTP for browsers. Register it under any prefix. Its hooks, parsers and
 * error handler hold for its own routes only, so the rest of the server keeps its own.
 *
 * Throws TypeError while it is registered on options that cannot be used.
 */
export const callpassEdge: FastifyPluginAsync<EdgeOptions> = async (parent, options) => {
  const proxies = createProxies(options.trustedProxies ?? []);
  const origins = createOrigins(options.origins ?? [], proxies);
  if (!parent.hasRequestDecorator('callpassEdge')) parent.decorateRequest('callpassEdge', null);

  const sendProblem = createSendProblem(problemLinks(options.documentationUrl));
  observe(parent, proxies, options.trustTraceparent ?? false);
  parent.setErrorHandler(sendProblem);
  takeJsonOnly(parent, options.maxBodyBytes ?? DEFAULT_MAX_BODY_BYTES);
  await allowOrigins(parent, origins);
  // Without a prefix this is the whole server's, which is not the plugin's to set.
  if (parent.prefix !== '') {
    parent.setNotFoundHandler((request, reply) => sendProblem(notFound(parent, request), request, reply));
  }
  addOpenapi(parent);
  addProbes(parent, { client: options.client, isReady: options.isReady ?? (() => Promise.resolve(true)) });

  const limits = createLimits({
    limits: { ...DEFAULT_LIMITS, ...options.limits },
    proxies,
    visitorOf: createVisitors(options.visitor ?? {}, proxies),
  });
  const { client, humanCheck, timeoutMs = DEFAULT_TIMEOUT_MS, compatibilityRoutes = {} } = options;
  const { authorize } = options;
  // Pages do not ask here, so neither their origin nor their address is looked at.
  if (authorize) {
    await parent.register(async (scope) => addAuthorizeRoute(scope, { client, timeoutMs, authorize }));
  }
  await parent.register(async (guarded) => {
    guarded.addHook(
      'onRequest',
      hook((request, reply) => {
        origins.assertMayAsk(request);
        limits.countAddress(request, reply);
      }),
    );
    if (humanCheck?.challenge) addChallenge(guarded, humanCheck.challenge.bind(humanCheck));
    await guarded.register(async (issuing) => {
      issuing.addHook('onRequest', hook(limits.countVisitor));
      if (humanCheck) askForHuman(issuing, humanCheck, `${parent.prefix}${HUMAN_CHECK_PATH}`);
      addIssueRoutes(issuing, { client, timeoutMs, compatibilityRoutes });
    });
  });
};

function observe(scope: FastifyInstance, proxies: Proxies, trustsParent: boolean): void {
  const begin = httpTelemetry({ trustsParent });
  scope.addHook(
    'onRequest',
    hook((request, reply) => {
      const { method, headers, raw } = request;
      const scheme = proxies.schemeOf(raw);
      const http = begin({ method, route: request.routeOptions.url, scheme, headers });
      const state: EdgeState = { http, visitorId: '', onGone: undefined };
      request.callpassEdge = state;
      void reply.headers(HEADERS);
      if (scheme === 'https') void reply.header('strict-transport-security', STRICT_TRANSPORT);
      reply.raw.once('close', () => {
        if (reply.raw.writableFinished) return;
        http.finish(CLIENT_CLOSED_REQUEST);
        state.onGone?.();
      });
    }),
  );
  scope.addHook(
    'onResponse',
    hook((request, reply) => {
      request.callpassEdge?.http.finish(reply.statusCode);
    }),
  );
}

/** Makes a hook of a function that does not wait. Every request pays for each promise of a hook. */
function hook(run: (request: FastifyRequest, reply: FastifyReply) => void) {
  return (request: FastifyRequest, reply: FastifyReply, done: (error?: Error) => void): void => {
    try {
      run(request, reply);
    } catch (error) {
      done(error as Error);
      return;
    }
    done();
  };
}

/** Members of bodies that hold text. */
const TEXT_MEMBERS: ReadonlySet<string> = new Set(Object.keys(CREDENTIALS.body.properties));
const UTF8 = new TextDecoder('utf-8', { fatal: true });

/**
 * A form, which any page may post anywhere, is no JSON. Members that are not known are refused, not dropped, and so is text that
 * is no Unicode: replacing what is wrong with it would make another text of it.
 */
function takeJsonOnly(scope: FastifyInstance, maxBodyBytes: number): void {
  const parseJson = scope.getDefaultJsonParser('error', 'error');
  scope.removeAllContentTypeParsers();
  scope.addContentTypeParser<Buffer>(
    'application/json',
    { parseAs: 'buffer', bodyLimit: maxBodyBytes },
    (request, body, done) => {
      if (body.length === 0) {
        done(null, null);
        return;
      }
      let text: string;
      try {
        text = UTF8.decode(body);
      } catch {
        done(noUnicode('body'));
        return;
      }
      void parseJson(request, text, (error: Error | null, value?: unknown) => {
        const member = error === null ? memberWithHalf(value) : undefined;
        if (member === undefined) done(error, value);
        else done(noUnicode(`body/${member}`));
      });
    },
  );
  scope.setValidatorCompiler(
    AjvCompiler()({}, { customOptions: { removeAdditional: false, coerceTypes: false, useDefaults: false } }),
  );
}

function noUnicode(field: string): EdgeProblem {
  const violations = [
    { field, description: 'must be Unicode text in UTF-8, without halves of surrogate pairs' },
  ];
  return new EdgeProblem('REQUEST_INVALID', { violations });
}

/** The known member of a body whose text has half of a surrogate pair. */
function memberWithHalf(body: unknown): string | undefined {
  const members = typeof body === 'object' && body !== null ? Object.entries(body) : [];
  return members.find(
    ([name, value]) => TEXT_MEMBERS.has(name) && typeof value === 'string' && !value.isWellFormed(),
  )?.[0];
}

async function allowOrigins(scope: FastifyInstance, origins: Origins): Promise<void> {
  await scope.register(cors, {
    origin: (origin, answer) => answer(null, origins.has(origin)),
    credentials: true,
    methods: ['GET', 'POST'],
    allowedHeaders: [
      ...['content-type', 'cache-control', 'idempotency-key', HUMAN_CHECK_HEADER],
      ...['traceparent', 'tracestate', 'baggage'],
    ],
    exposedHeaders: EXPOSED_HEADERS,
    maxAge: 600,
    strictPreflight: false,
  });
}

function addChallenge(scope: FastifyInstance, challenge: NonNullable<HumanCheck['challenge']>): void {
  scope.get(HUMAN_CHECK_PATH, { exposeHeadRoute: false, schema: CHALLENGE }, async () => challenge());
}

function askForHuman(scope: FastifyInstance, humanCheck: HumanCheck, challengePath: string): void {
  scope.addHook('preHandler', async (request) => {
    if (humanCheck.required && !(await humanCheck.required(request))) return;
    if (await humanCheck.verify(request)) return;
    throw new EdgeProblem('HUMAN_CHECK_REQUIRED', {
      members: humanCheck.challenge ? { challenge: challengePath } : {},
    });
  });
}

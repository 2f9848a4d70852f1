import cors from '@fastify/cors';
import fastify, { type FastifyInstance, type FastifyReply, type FastifyRequest } from 'fastify';
import type { Gateway } from '../gateway.ts';
import { addControl } from './control.ts';
import { addNotifications } from './notifications.ts';
import { addRest } from './rest.ts';

/** A session description and two tokens fit many times. */
const MAX_BODY_BYTES = 256 * 1024;
const MAX_PARAMETER_LENGTH = 4096;
const REQUEST_TIMEOUT_MS = 10_000;
const MAX_CONNECTIONS = 500;
const LOOPBACK_HOST = /^(127\.0\.0\.1|localhost|\[::1\])(:\d+)?$/;

const CONTROL = '/sandbox/';
const LOOPBACK_ORIGIN = /^https?:\/\/(127\.0\.0\.1|localhost|\[::1\])(:\d+)?$/;

/** Options of the gateway's server. */
export interface ServeOptions {
  /** Checks if pages of an origin (`http://host:port`) may use the control routes. */
  readonly mayControl: (origin: string) => boolean;
}

/**
 * The gateway as a Fastify app, not yet listening: REST and notification channels as the SDK drives them for any page
 * of this machine, and the sandbox's own control. It logs nothing, since the account token is part of its URLs. Requests for
 * another host than this machine's loopback are turned away, so that no name that was pointed here can reach it.
 */
export async function createGatewayApp(gateway: Gateway, options: ServeOptions): Promise<FastifyInstance> {
  const app = fastify({
    logger: false,
    bodyLimit: MAX_BODY_BYTES,
    requestTimeout: REQUEST_TIMEOUT_MS,
    routerOptions: { maxParamLength: MAX_PARAMETER_LENGTH },
    forceCloseConnections: true,
    // Faults of the URL itself come before any route, so their answer has no shape but this.
    frameworkErrors: (_error, _request, reply) => {
      void (reply as FastifyReply).code(400).send({ callControlResponse: { statusCode: 5 } });
    },
  });
  app.server.maxConnections = MAX_CONNECTIONS;
  const isAllowed = ({ url, headers: { origin } }: FastifyRequest): boolean => {
    // What is no page sends none.
    if (origin === undefined) return true;
    return url.startsWith(CONTROL) ? options.mayControl(origin) : LOOPBACK_ORIGIN.test(origin);
  };
  app.addHook('onRequest', async (request, reply) => {
    if (!LOOPBACK_HOST.test(request.headers.host ?? '')) return reply.code(421).send();
    if (!isAllowed(request)) return reply.code(403).send();
  });
  await app.register(cors, {
    origin: LOOPBACK_ORIGIN,
    methods: ['GET', 'POST', 'PUT', 'DELETE'],
    allowedHeaders: ['content-type', 'x-cpaas-agent', 'traceparent'],
    maxAge: 600,
  });
  // The SDK names a type of content also where it sends none.
  const parseJson = app.getDefaultJsonParser('error', 'error');
  app.addContentTypeParser('application/json', { parseAs: 'string' }, (request, body, done) => {
    if (body === '') done(null, undefined);
    else void parseJson(request, body as string, done);
  });
  addRest(app, gateway);
  await addNotifications(app, gateway);
  addControl(app, gateway);
  return app;
}

import type { Server as HttpsServer } from 'node:https';
import { setTimeout as pause } from 'node:timers/promises';
import { isLoopback, type CallpassError } from '@callpass/client';
import { problemLinks } from '@callpass/contract';
import { createCountedLines, flushCountedLines, splitHostAndPort } from '@callpass/program';
import { createInstruments, METRICS } from '@callpass/telemetry';
import fastify, {
  LogController,
  type FastifyBaseLogger,
  type FastifyInstance,
  type FastifyReply,
  type FastifyRequest,
} from 'fastify';
import { createProofOfWork } from '../human-check/proof-of-work.ts';
import type { HumanCheck } from '../human-check/human-check.ts';
import { followGrpcLog } from '@callpass/program/grpc-log';
import { createLog, type Logger } from '@callpass/program/log';
import { callpassEdge } from '../plugin/edge.ts';
import { createSendProblem, refusalOf } from '../plugin/exchange.ts';
import { notFound } from '../plugin/not-found.ts';
import { corsHeaders, createOrigins } from '../plugin/origins.ts';
import type { EdgeOptions } from '../plugin/options.ts';
import { cannotListen, SettingsError } from '@callpass/program/settings';
import type { Settings } from '../settings/schema.ts';
import { oneSecret, readSecretFile } from '../settings/secrets.ts';
import { createProxies } from '../visitor/proxies.ts';
import { openAuthorize } from './open-authorize.ts';
import { logRequests, type LogUnrouted } from './access-log.ts';
import { openCertificate, type Certificate } from './certificate.ts';
import { boundConnections } from './connection-bounds.ts';
import { createRefuseConnection } from './client-errors.ts';
import { answerForNode, LEFT_TO_EDGE } from './node-answers.ts';
import { connectService, type ServiceConnection } from './service.ts';

/** An edge that serves. */
export interface RunningEdge {
  /** `http://host:port` as it is bound. */
  readonly address: string;
  /**
   * Drains and stops: `/readyz` says no, after the delay the port closes, requests under way may end within the grace time,
   * what is left is cut off. Calling it again joins the first call.
   */
  stop(): Promise<void>;
}

/** Additions of a program that runs the edge. */
export interface EdgeExtras {
  /** Adds routes beside the edge's, such as a page; called before the server listens. */
  readonly mount?: (app: FastifyInstance) => void | Promise<void>;
}

/** Interval of the check for slow connections; a slow sender is closed at most so much later. */
const CONNECTIONS_CHECK_MS = 1000;

/** Starts the edge from its settings. Throws SettingsError with a text for the operator when it cannot; then nothing is left running. */
export async function startEdge(
  settings: Settings,
  log: Logger,
  extras: EdgeExtras = {},
): Promise<RunningEdge> {
  followGrpcLog(log);
  const { app, service, drain } = await createEdge(settings, log);
  try {
    await extras.mount?.(app);
    const address = await listen(app, settings.listen.address);
    let stopping: Promise<void> | undefined;
    const stop = async () => {
      drain();
      log.info(settings.drain, 'draining');
      await pause(settings.drain.delay);
      await closeWithin(app, settings.drain.grace, log);
      service.close();
      flushCountedLines();
      log.info('stopped');
    };
    service.client.checkIssuing({}).catch((error: unknown) => {
      const { reason, message } = error as CallpassError;
      if (stopping === undefined)
        log.warn(
          { service: settings.service.address, reason, cause: message },
          'the service does not answer, or does not let this edge issue; the edge goes on trying',
        );
    });
    return { address, stop: () => (stopping ??= stop()) };
  } catch (error) {
    await app.close();
    service.close();
    throw error;
  }
}

/** Does all that a start does but listening. Throws SettingsError on settings that cannot be used. */
export async function checkSettings(settings: Settings): Promise<void> {
  const { app, service } = await createEdge(settings, createLog({ level: 'silent' }));
  await app.close();
  service.close();
}

interface Edge {
  readonly app: FastifyInstance;
  readonly service: ServiceConnection;
  /** From now on `/readyz` says no. */
  readonly drain: () => void;
}

async function createEdge(settings: Settings, log: Logger): Promise<Edge> {
  assertPlaintextAllowed(settings);
  const humanCheck = humanCheckOf(settings);
  const secrets = visitorSecretsOf(settings, log);
  const app = orSettingsError(() => createApp(settings, log, secrets[0]));
  const authorize = await orClose(app, () => openAuthorize(app, settings, log, secrets[0]));
  const service = await orClose(app, () => connectService(settings));
  let draining = false;
  // A connection that is kept after the answer would hold the stop up until the grace time is over.
  app.addHook('onSend', async (_request, reply) => {
    if (draining) void reply.header('connection', 'close');
  });
  const options: EdgeOptions = {
    client: service.client,
    isReady: async () => !draining,
    timeoutMs: settings.service.timeout,
    origins: settings.origins,
    trustedProxies: settings.trustedProxies,
    visitor: { ...settings.visitor, secrets, lifetimeMs: settings.visitor.lifetime },
    limits: { ...settings.limits, windowMs: settings.limits.window },
    humanCheck,
    compatibilityRoutes: settings.compatibilityRoutes,
    authorize,
    trustTraceparent: settings.telemetry.trustTraceparentOf === 'everybody',
    documentationUrl: settings.documentationUrl,
    maxBodyBytes: settings.requests.maxBodyBytes,
  };
  try {
    await app.register(callpassEdge, options);
    return {
      app,
      service,
      drain: () => {
        draining = true;
      },
    };
  } catch (error) {
    service.close();
    await app.close();
    // The plugin's own words for options that cannot be used.
    throw error instanceof TypeError ? new SettingsError([error.message]) : error;
  }
}

async function orClose<T>(app: FastifyInstance, make: () => T | Promise<T>): Promise<T> {
  try {
    return await make();
  } catch (error) {
    await app.close();
    throw error;
  }
}

/** The words of the edge's parts for options that cannot be used. */
function orSettingsError<T>(make: () => T): T {
  try {
    return make();
  } catch (error) {
    throw error instanceof TypeError ? new SettingsError([error.message]) : error;
  }
}

function createApp(settings: Settings, log: Logger, visitorSecret: string | undefined): FastifyInstance {
  const { requests, connections, listen } = settings;
  const origins = createOrigins(settings.origins, createProxies(settings.trustedProxies));
  const linkTo = problemLinks(settings.documentationUrl);
  const sendProblem = createSendProblem(linkTo);
  /** Outside the edge's routes no hook lets listed pages read the answer. */
  const sendReadable = (error: unknown, request: FastifyRequest, reply: FastifyReply) =>
    sendProblem(error, request, reply.headers(corsHeaders(origins, request.headers.origin)));
  const limits = {
    ...LEFT_TO_EDGE,
    maxHeaderSize: requests.maxHeaderBytes,
    headersTimeout: requests.headersTimeout,
    connectionsCheckingInterval: CONNECTIONS_CHECK_MS,
  };
  let logRefused: LogUnrouted = () => undefined;
  const options = {
    loggerInstance: log as FastifyBaseLogger,
    logController: new LogController({ disableRequestLogging: true }),
    // A line is found by its trace id; a log of its own for each request is made for nothing.
    childLoggerFactory: (own: FastifyBaseLogger) => own,
    // No hook runs for these, so their line is written here.
    frameworkErrors: (error: unknown, request: FastifyRequest, reply: FastifyReply) => {
      const sent = sendReadable(error, request, reply);
      logRefused({ method: request.method, status: reply.statusCode, ...refusalOf(request) });
      return sent;
    },
    // Requests that come while it drains are under way too: they are answered, and their connections closed then.
    return503OnClosing: false,
    forceCloseConnections: 'idle',
    bodyLimit: requests.maxBodyBytes,
    requestTimeout: requests.timeout,
    connectionTimeout: connections.idle,
    keepAliveTimeout: connections.idle,
    maxRequestsPerSocket: connections.maxRequests,
    clientErrorHandler: createRefuseConnection(origins, { linkTo, onRefused: (line) => logRefused(line) }),
  } as const;
  const certificate = openCertificate(listen, log);
  const app = certificate
    ? (fastify({ ...options, https: { ...limits, ...certificate.first } }) as unknown as FastifyInstance)
    : fastify({ ...options, http: limits });
  if (certificate) followCertificate(app, certificate);
  limitConnections(app, settings, log);
  logRefused = logRequests(app, settings, log, visitorSecret);
  app.decorateRequest('callpassEdge', null);
  app.setErrorHandler(sendReadable);
  app.setNotFoundHandler((request, reply) => sendReadable(notFound(app, request), request, reply));
  answerForNode(app, sendReadable);
  return app;
}

function followCertificate(app: FastifyInstance, certificate: Certificate): void {
  certificate.follow(app.server as unknown as HttpsServer);
  app.addHook('onClose', async () => {
    certificate.stop();
  });
  createInstruments().gauge(METRICS.certificateExpiry, () => [
    [(certificate.notAfterMs() - Date.now()) / 1000, 'edge'],
  ]);
}

/** The least share of one address, and of those that have not sent a whole request: a browser opens some connections at once. */
const LEAST_SHARE = 16;
const shareOf = (places: number, part: number) => Math.max(LEAST_SHARE, Math.floor(places / part));

function limitConnections(app: FastifyInstance, settings: Settings, log: Logger): void {
  const { max, maxPerPeer = shareOf(max, 16) } = settings.connections;
  const proxies = createProxies(settings.trustedProxies);
  const lines = createCountedLines();
  boundConnections(app.server, {
    max,
    maxPerPeer,
    maxUnfinishedPerPeer: shareOf(maxPerPeer, 4),
    maxUnfinished: shareOf(max, 4),
    isExempt: (socket) => maxPerPeer === 0 || proxies.sentBy({ socket }),
    onClosed: (cause) => {
      lines.note(cause, (count) => {
        log.warn({ cause, count }, 'a connection was closed: too many are open');
      });
    },
  });
}

async function listen(app: FastifyInstance, address: string): Promise<string> {
  try {
    return await app.listen(splitHostAndPort(address));
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    throw code === undefined ? error : cannotListen('listen.address', address, error);
  }
}

/** One stuck sender cannot keep the process alive. */
async function closeWithin(app: FastifyInstance, graceMs: number, log: Logger): Promise<void> {
  const timer = setTimeout(() => {
    log.warn({ graceMs }, 'grace time is over: cutting off what is left');
    app.server.closeAllConnections();
  }, graceMs);
  await app.close();
  clearTimeout(timer);
}

/** Throws SettingsError unless what browsers send stays on this machine or is encrypted, here or by a proxy. */
function assertPlaintextAllowed({ listen: { address, allowPlaintext, certFile } }: Settings): void {
  if (allowPlaintext || certFile !== undefined || isLoopback(address)) return;
  throw new SettingsError([
    `listen.address: ${address} is not a loopback address; give listen.certFile and keyFile, or set listen.allowPlaintext where a proxy encrypts`,
  ]);
}

function visitorSecretsOf({ visitor: { secretFile, secrets } }: Settings, log: Logger): readonly string[] {
  const given =
    secretFile === undefined
      ? secrets
      : readSecretFile('visitor.secretFile', secretFile)
          .split('\n')
          .map((line) => line.trim())
          .filter((line) => line !== '');
  if (given.length === 0) log.warn('no visitor.secrets: visitors will be new after the next start');
  return given;
}

function humanCheckOf({
  humanCheck: { kind, secretFile, secret, cost, lifetime },
}: Settings): HumanCheck | undefined {
  if (kind === 'none') return undefined;
  const signing = oneSecret('humanCheck.secret', secretFile, secret);
  if (signing === undefined)
    throw new SettingsError(['humanCheck.secretFile or humanCheck.secret is needed']);
  return createProofOfWork({ secret: signing, cost, lifetimeMs: lifetime });
}

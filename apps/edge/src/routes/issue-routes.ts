import type { FastifyInstance, FastifyRequest } from 'fastify';
import type { CredentialClient } from '@callpass/client';
import { stateOf } from '../plugin/exchange.ts';
import type { CompatibilityRoutes } from '../plugin/options.ts';
import { EdgeProblem } from '../problems/problem.ts';
import { idempotencyKeyOf } from '../visitor/idempotency-key.ts';
import { toCredentialsAnswer, toTokens } from './answers.ts';
import { ACTG_TOKEN, CALL_PARAMETERS, CREDENTIALS } from './schemas.ts';

/** Issue that a route asks for, for the visitor of its request. */
interface AskedIssue {
  readonly destination: string;
  readonly callee?: string;
  readonly caller?: string;
  readonly requestId?: string;
}

interface CredentialsRequest {
  Params: { id: string };
  Body: { callee?: string; caller?: string } | null;
}

/** The routes that issue: the edge's own, and compatibility routes for pages written for the vendor's sample servers. */
export function addIssueRoutes(
  scope: FastifyInstance,
  parts: { client: CredentialClient; timeoutMs: number; compatibilityRoutes: CompatibilityRoutes },
): void {
  const { client, timeoutMs, compatibilityRoutes } = parts;
  const issueFor = (request: FastifyRequest, asked: AskedIssue) => {
    const state = stateOf(request);
    const { http } = state;
    const issue = { ...asked, subject: state.visitorId };
    const controller = new AbortController();
    const { signal } = controller;
    // Fastify's `request.signal` aborts as soon as a body has been read.
    state.onGone = () => {
      controller.abort();
    };
    if (!http.recording) return client.issueCredentials(issue, { timeoutMs, signal });
    // An RPC of its own, so that the trace leads to the record of the ledger.
    return http.run(() => client.issueCredentials(issue, { timeoutMs, signal, coalesce: false }));
  };

  scope.post<CredentialsRequest>(
    '/v1/destinations/:id/credentials',
    { schema: CREDENTIALS },
    async (request) => {
      const requestId = idempotencyKeyOf(request.headers);
      const asked = {
        destination: request.params.id,
        ...request.body,
        ...(requestId === undefined ? {} : { requestId }),
      };
      return toCredentialsAnswer(await issueFor(request, asked));
    },
  );

  // The HEAD route that Fastify adds to each GET would issue too.
  const withoutHead = { exposeHeadRoute: false };

  scope.get<{ Querystring: { destination?: string } }>(
    '/callparameters',
    { ...withoutHead, schema: CALL_PARAMETERS },
    async (request) => {
      const destination =
        request.query.destination ?? named(compatibilityRoutes.defaultDestination, 'destination');
      return toTokens(await issueFor(request, { destination }));
    },
  );

  const actg = async (request: FastifyRequest<{ Querystring: { identifier?: string } }>) => {
    const { identifier } = request.query;
    const destination =
      identifier === undefined
        ? named(compatibilityRoutes.defaultDestination, 'identifier')
        : (identifiers.get(identifier) ?? identifier);
    const { accountToken, fromToken, toToken, realm } = toTokens(await issueFor(request, { destination }));
    return { accountToken, fromToken, toToken, tokenRealm: realm };
  };
  const identifiers = new Map(Object.entries(compatibilityRoutes.identifiers ?? {}));
  for (const path of ['/actg/token', '/actg/token/'])
    scope.get(path, { ...withoutHead, schema: { ...ACTG_TOKEN, hide: path.endsWith('/') } }, actg);
}

function named(destination: string | undefined, member: string): string {
  if (destination !== undefined) return destination;
  const violation = {
    field: `querystring/${member}`,
    description: 'is needed: this edge has no default destination',
  };
  throw new EdgeProblem('REQUEST_INVALID', { violations: [violation] });
}

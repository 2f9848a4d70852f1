// The edge as OpenAPI 3.1: what @fastify/swagger makes of its routes' schemas, with what all of them have: headers and problems.
import swagger from '@fastify/swagger';
import { createInMemoryCredentialClient } from '@callpass/client/testing';
import fastify from 'fastify';
import { callpassEdge } from '../../apps/edge/src/plugin/edge.ts';
import { PROBLEM } from '../../apps/edge/src/routes/schemas.ts';
import { HEADERS, headersOf, PARAMETERS, parametersOf } from './headers.mjs';
import { kindOf } from './kinds.mjs';
import { ALL_REASONS, PROBLEM_RESPONSES, problemsOf } from './problems.mjs';

const INFO = {
  title: 'Callpass edge',
  // Of the contract, as in the paths: a release of the edge changes nothing here.
  version: '1',
  summary: 'Credentials of anonymous calls, over HTTP for browsers',
  description:
    'Errors are problems (RFC 9457) with a `reason`. Answers are never kept: `Cache-Control: no-store`. The edge recognises a visitor by a cookie, and continues the trace of a page.',
  license: { name: 'Apache-2.0', identifier: 'Apache-2.0' },
};
const TAGS = [
  { name: 'credentials', description: 'Credentials of one call' },
  {
    name: 'compatibility',
    description: 'Routes for pages that were written for the vendor’s sample servers',
  },
  { name: 'authorization', description: 'Decisions for proxies in front of the vendor’s WebRTC gateway' },
  { name: 'probes', description: 'Probes of an orchestrator' },
];

/** The document. Made from an edge with every route, on a double of the service. */
export async function describeEdge() {
  const app = fastify();
  await app.register(swagger, {
    openapi: { openapi: '3.1.0', info: INFO, servers: [{ url: '/' }], tags: TAGS },
    transform: ({ schema, url }) => ({ schema: withoutProblems(schema), url }),
    transformObject: ({ openapiObject }) => complete(openapiObject),
  });
  await app.register(callpassEdge, {
    client: createInMemoryCredentialClient(),
    authorize: { realms: ['example.com'], proxies: ['loopback'] },
    humanCheck: { verify: () => true, challenge: () => ({}) },
  });
  await app.ready();
  const document = app.swagger();
  await app.close();
  return document;
}

/** Problems of a class of statuses are written for each status instead. */
function withoutProblems(schema) {
  if (schema?.response === undefined) return schema;
  const response = Object.fromEntries(
    Object.entries(schema.response).filter(([status]) => !status.endsWith('xx')),
  );
  return { ...schema, response };
}

function complete(document) {
  for (const operations of Object.values(document.paths))
    for (const operation of Object.values(operations)) completeOperation(operation);
  const reason = { ...PROBLEM.properties.reason, enum: ALL_REASONS };
  return {
    ...document,
    // Nobody signs in here: a cookie that is missing or wrong makes a new visitor.
    security: [],
    components: {
      schemas: {
        Problem: { ...PROBLEM, properties: { ...PROBLEM.properties, reason } },
        Challenge: {
          type: 'object',
          description: 'Challenge of the human check that the edge has, such as that of ALTCHA',
          additionalProperties: true,
        },
      },
      headers: HEADERS,
      parameters: PARAMETERS,
      responses: PROBLEM_RESPONSES,
    },
  };
}

function completeOperation(operation) {
  const kind = kindOf(operation.operationId);
  if (kind === 'getHumanCheck') operation.responses = { 200: CHALLENGE };
  // Fastify's schema of a body says that it may be null, which stands for none.
  if (operation.requestBody) operation.requestBody.required = false;
  operation.parameters = [...(operation.parameters ?? []), ...parametersOf(kind)];
  for (const response of Object.values(operation.responses)) response.headers = headersOf(kind, 200);
  Object.assign(operation.responses, problemsOf(kind));
}

const CHALLENGE = {
  description: 'Challenge for the page',
  content: { 'application/json': { schema: { $ref: '#/components/schemas/Challenge' } } },
};

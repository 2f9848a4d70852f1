import { readFileSync } from 'node:fs';
import type { FastifyInstance } from 'fastify';
import { HIDDEN } from './routes/schemas.ts';

/** Path of the description, below the prefix that the plugin is mounted under. */
const OPENAPI_PATH = '/openapi.json';

/**
 * Adds `GET /openapi.json`: the routes as OpenAPI 3.1, for the prefix that they are under. `npm run generate` makes the file from the
 * routes' schemas. It is read and written out once, so that a request for it costs no more than its bytes.
 */
export function addOpenapi(scope: FastifyInstance): void {
  // One folder above, which is where it is for sources, built and published files.
  const document = JSON.parse(readFileSync(new URL('../openapi.json', import.meta.url), 'utf8')) as object;
  const text = JSON.stringify({ ...document, servers: [{ url: scope.prefix || '/' }] });
  scope.get(OPENAPI_PATH, { schema: HIDDEN }, (_request, reply) =>
    reply.type('application/json; charset=utf-8').send(text),
  );
}

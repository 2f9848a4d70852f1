import type { FastifyInstance } from 'fastify';
import { EdgeProblem } from '../problems/problem.ts';

const METHODS: readonly string[] = ['GET', 'HEAD', 'POST'];

/**
 * The problem of a request without a route: no such resource, or only not with this method. A route with the method may have
 * found nothing itself, as that of a page's files does, which matches every path.
 */
export function notFound(app: FastifyInstance, request: { url: string; method: string }): EdgeProblem {
  const path = request.url.split('?', 1)[0] ?? '';
  const allowed = METHODS.filter((method) => app.findRoute({ method, url: path }) !== null);
  if (allowed.length === 0 || allowed.includes(request.method)) return new EdgeProblem('NOT_FOUND');
  return new EdgeProblem('METHOD_NOT_ALLOWED', { headers: { allow: allowed.join(', ') } });
}

import { type IncomingMessage, ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { EdgeProblem } from '../problems/problem.ts';

const HOST = 'host';

/** Options of a server of Node with which it leaves to {@link answerForNode} what it would refuse itself. */
export const LEFT_TO_EDGE = { requireHostHeader: false } as const;

/** Answers with a problem what Node would answer itself with a bare status, or not at all. */
export function answerForNode(
  app: FastifyInstance,
  refuse: (problem: EdgeProblem, request: FastifyRequest, reply: FastifyReply) => FastifyReply,
): void {
  // An expectation that is not known is left out (RFC 9110, 10.1.1).
  app.server.on('checkExpectation', (request, response) => app.server.emit('request', request, response));
  app.server.on('connect', (request: IncomingMessage, socket) => {
    const response = new ServerResponse(request);
    response.shouldKeepAlive = false;
    response.assignSocket(socket as Socket);
    response.once('finish', () => {
      (socket as Socket).destroySoon();
    });
    // Node has taken its own listener away.
    socket.on('error', () => socket.destroy());
    app.server.emit('request', request, response);
  });
  app.addHook('onRequest', async (request, reply) => {
    const { rawHeaders, httpVersion } = request.raw;
    const hosts = countHosts(rawHeaders);
    if (hosts > 1 || (hosts === 0 && httpVersion !== '1.0'))
      return refuse(new EdgeProblem('REQUEST_INVALID'), request, reply);
    return undefined;
  });
}

/** Counts the `Host` headers; a request has one (RFC 9112, 3.2). Node keeps the first of several. */
function countHosts(rawHeaders: readonly string[]): number {
  let count = 0;
  for (let at = 0; at < rawHeaders.length; at += 2) {
    const name = rawHeaders[at] as string;
    if (name.length === HOST.length && name.toLowerCase() === HOST) count++;
  }
  return count;
}

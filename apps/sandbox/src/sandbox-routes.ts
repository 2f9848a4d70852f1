import type { OtlpReceiver } from '@callpass/otlp-receiver';
import type { FastifyInstance } from 'fastify';
import type { Supervised } from './processes/supervised.ts';
import { traceView } from './traces.ts';

/** Adds the control routes for the page and for tests: traces, and stopping or starting a process. */
export function addSandboxRoutes(
  app: FastifyInstance,
  parts: { receiver: OtlpReceiver; processes: () => Readonly<Record<'server' | 'edge', Supervised>> },
): void {
  app.get<{ Params: { traceId: string } }>(
    '/sandbox/traces/:traceId',
    { schema: { params: parameters({ traceId: { type: 'string', pattern: '^[0-9a-f]{32}$' } }) } },
    ({ params }) => traceView(parts.receiver, params.traceId),
  );
  app.get('/sandbox/telemetry', (_request, reply) =>
    reply.type('application/x-ndjson').send(parts.receiver.raw().join('\n')),
  );
  app.post<{ Params: { name: 'server' | 'edge'; action: 'stop' | 'start' } }>(
    '/sandbox/processes/:name/:action',
    {
      schema: {
        params: parameters({ name: { enum: ['server', 'edge'] }, action: { enum: ['stop', 'start'] } }),
      },
    },
    async ({ params: { name, action } }, reply) => {
      await parts.processes()[name][action]();
      return reply.code(204).send();
    },
  );
}

function parameters(properties: object): object {
  return { type: 'object', properties };
}

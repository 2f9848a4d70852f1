import type { FastifyInstance } from 'fastify';
import type { Gateway } from '../gateway.ts';
import type { Portal } from '../portal.ts';

const PORTAL_BODY = {
  type: 'object',
  additionalProperties: false,
  required: ['unrestrictedCalls', 'notEnabled'],
  properties: {
    unrestrictedCalls: { type: 'boolean' },
    notEnabled: { type: 'array', maxItems: 100, items: { type: 'string', maxLength: 256 } },
  },
};

/** Adds the control routes, which no real gateway has: calls, hang-up by the other side, and the settings of the vendor's portal. */
export function addControl(app: FastifyInstance, gateway: Gateway): void {
  app.get('/sandbox/calls', () => ({ calls: gateway.calls() }));
  app.get('/sandbox/refusals', () => ({ refusals: gateway.refusals() }));
  app.post<{ Params: { id: string } }>('/sandbox/calls/:id/hangup', ({ params }) =>
    gateway.hangUp(params.id),
  );
  app.get('/sandbox/portal', () => gateway.portal);
  app.put<{ Body: Portal }>('/sandbox/portal', { schema: { body: PORTAL_BODY } }, ({ body }) => {
    gateway.portal = body;
    return body;
  });
}

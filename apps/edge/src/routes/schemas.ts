import { FORMS } from '../problems/forms.ts';

/** JSON Schemas of what routes take and give. Members that are not named are refused, and never given. */

const text = { type: 'string' } as const;

/** An object with these members and no others. */
const object = (
  properties: Record<string, object>,
  required: readonly string[] = Object.keys(properties),
) => ({
  type: 'object',
  properties,
  required,
  additionalProperties: false,
});

const destinationId = { ...text, ...FORMS.destinationId, maxLength: 64 };
const address = { ...text, ...FORMS.address, maxLength: 256 };

const problem = {
  type: 'object',
  properties: {
    type: text,
    title: text,
    status: { type: 'integer' },
    reason: text,
    traceId: text,
    retryAfter: { type: 'integer' },
    violations: { type: 'array', items: object({ field: text, description: text }) },
    opensAt: text,
    challenge: text,
  },
  required: ['type', 'title', 'status', 'reason', 'traceId'],
};
/** Answers that every route may give besides its own: problems. */
export const PROBLEMS = { '4xx': problem, '5xx': problem };

/** `POST /v1/destinations/{id}/credentials` */
export const CREDENTIALS = {
  params: object({ id: destinationId }),
  // A body may be left out: null then.
  body: { ...object({ callee: address, caller: address }, []), type: ['object', 'null'] },
  headers: {
    type: 'object',
    properties: { 'idempotency-key': { ...text, ...FORMS.idempotencyKey } },
  },
  response: {
    200: object(
      {
        issuanceId: text,
        callee: text,
        credentials: object({ accountToken: text, fromToken: text, toToken: text, realm: text }, []),
        callOptions: object({ from: text }),
        expiresAt: text,
        refreshAt: text,
      },
      ['issuanceId', 'callee', 'credentials', 'callOptions'],
    ),
    ...PROBLEMS,
  },
};

/** `GET /callparameters` */
export const CALL_PARAMETERS = {
  querystring: { type: 'object', properties: { destination: destinationId } },
  response: {
    200: object({
      realm: text,
      accountToken: text,
      fromToken: text,
      toToken: text,
      caller: text,
      callee: text,
    }),
    ...PROBLEMS,
  },
};

/** `GET /actg/token` */
export const ACTG_TOKEN = {
  querystring: {
    type: 'object',
    properties: { identifier: { type: 'string', minLength: 1, maxLength: 256 } },
  },
  response: {
    200: object({ accountToken: text, fromToken: text, toToken: text, tokenRealm: text }),
    ...PROBLEMS,
  },
};

/** `GET /healthz`, `GET /readyz` */
export const PROBE = { response: { 200: object({ status: text }), ...PROBLEMS } };

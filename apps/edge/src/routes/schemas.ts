import { FORMS } from '../problems/forms.ts';

/**
 * JSON Schemas of what routes take and give, with what `openapi.json` says of them. Members that are not named are refused, and
 * never given.
 */

const text = { type: 'string' } as const;
const described = (description: string, more: object = {}) => ({ ...text, description, ...more });

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
const time = (description: string) => described(`${description} (RFC 3339)`);

const vendorCode = (ofWhat: string) => ({
  ...object({ statusCode: { type: 'integer' } }),
  description: `Code of the vendor’s protocol for its SDK, ${ofWhat}; of \`/v1/authorize\` only`,
});

/** Body of every answer that is no success (RFC 9457). */
export const PROBLEM = {
  type: 'object',
  properties: {
    type: described('URI of the reason: `urn:callpass:problem:REASON`, or its section in the documentation'),
    title: described('Fixed text for a person'),
    status: { type: 'integer', description: 'Status of the HTTP answer' },
    reason: described('Reason, for programs. A newer edge may give more of them'),
    traceId: described('Trace id of the call that refused it, 32 hexadecimal digits, for operators'),
    retryAfter: {
      type: 'integer',
      description: 'Time to wait before the next try, in seconds, as `Retry-After`',
    },
    violations: {
      type: 'array',
      description: 'Parts of the request that break a rule, with `REQUEST_INVALID`',
      items: object({
        field: described('Part of the request and path in it'),
        description: described('Rule that it breaks'),
      }),
    },
    opensAt: time('Next opening time, with `DESTINATION_CLOSED`'),
    challenge: described('Path of the challenge, with `HUMAN_CHECK_REQUIRED`'),
    // A proxy may hand a refusal to the page, whose SDK breaks on a body without them.
    authorizationResponse: vendorCode('with `NOT_AUTHORIZED`'),
    subscribeResponse: vendorCode('with `SERVICE_UNAVAILABLE`'),
    callControlResponse: vendorCode('of a call'),
  },
  required: ['type', 'title', 'status', 'reason', 'traceId'],
};
/** Answers that every route may give besides its own: problems. */
export const PROBLEMS = { '4xx': PROBLEM, '5xx': PROBLEM };

const accountToken = described('Token of the account');
const fromToken = described('Token of the caller');
const toToken = described('Token of the callee');
const realm = described('Realm of the tokens');
const caller = described('Address of the caller');
const callee = described('Address that is called');
const TOKENS = { accountToken: '9F4C…', fromToken: '51AE…', toToken: 'D07B…' };
const ISSUED = {
  issuanceId: '0198c0de-0000-7000-8000-000000000001',
  callee: 'support@example.com',
  callOptions: { from: 'anonymous@example.com' },
};

/** A route that `openapi.json` does not have. */
export const HIDDEN: object = { hide: true };

/** `POST /v1/destinations/{id}/credentials` */
export const CREDENTIALS = {
  operationId: 'issueCredentials',
  summary: 'Issue the credentials of one call',
  description: 'Gives the three arguments of `makeAnonymous`. A body may be left out.',
  tags: ['credentials'],
  params: object({ id: { ...destinationId, examples: ['support'] } }),
  // A body may be left out: null then.
  body: {
    ...object({ callee: address, caller: address }, []),
    type: ['object', 'null'],
    examples: [{ callee: 'support@example.com' }],
  },
  headers: {
    type: 'object',
    properties: {
      'idempotency-key': {
        ...described('UUID, with or without quotes: requests with the same one get the same credentials'),
        pattern: FORMS.idempotencyKey.pattern,
        examples: ['"0b2f6f5e-7c1b-4f6a-9a55-0d6f0f3f1a11"'],
      },
    },
  },
  response: {
    200: {
      ...object(
        {
          issuanceId: described('UUID of the issue, which the ledger has it under'),
          callee,
          credentials: {
            ...object({ accountToken, fromToken, toToken, realm }, []),
            description: 'Second argument of `makeAnonymous`; empty for an unrestricted call',
          },
          callOptions: { ...object({ from: caller }), description: 'Third argument of `makeAnonymous`' },
          expiresAt: time('End of the tokens; left out for an unrestricted call, which does not expire'),
          refreshAt: time('When to ask again, well before the end'),
        },
        ['issuanceId', 'callee', 'credentials', 'callOptions'],
      ),
      description: 'Credentials of one call',
      examples: [
        {
          ...ISSUED,
          credentials: { ...TOKENS, realm: 'example.com' },
          expiresAt: '2026-03-03T08:10:00.000Z',
          refreshAt: '2026-03-03T08:08:00.000Z',
        },
        { ...ISSUED, credentials: {} },
      ],
    },
    ...PROBLEMS,
  },
};

/** `GET /callparameters` */
export const CALL_PARAMETERS = {
  operationId: 'getCallParameters',
  summary: 'Issue credentials as the vendor’s Express sample does',
  description: 'For pages that were written for it. Refuses destinations with unrestricted calls.',
  tags: ['compatibility'],
  querystring: {
    type: 'object',
    properties: { destination: { ...destinationId, examples: ['support'] } },
  },
  response: {
    200: {
      ...object({ realm, accountToken, fromToken, toToken, caller, callee }),
      description: 'Tokens of one call, and whom they are for',
      examples: [
        { realm: 'example.com', ...TOKENS, caller: 'anonymous@example.com', callee: 'support@example.com' },
      ],
    },
    ...PROBLEMS,
  },
};

/** `GET /actg/token` */
export const ACTG_TOKEN = {
  operationId: 'getActgToken',
  summary: 'Issue credentials as the vendor’s Spring sample (ACTG) does',
  description: 'For pages that were written for it. Refuses destinations with unrestricted calls.',
  tags: ['compatibility'],
  querystring: {
    type: 'object',
    properties: {
      identifier: {
        ...described('ACTG identifier, or id of a destination', { examples: ['front-desk'] }),
        minLength: 1,
        maxLength: 256,
      },
    },
  },
  response: {
    200: {
      ...object({ accountToken, fromToken, toToken, tokenRealm: realm }),
      description: 'Tokens of one call',
      examples: [{ ...TOKENS, tokenRealm: 'example.com' }],
    },
    ...PROBLEMS,
  },
};

/** `GET /v1/human-check` */
export const CHALLENGE = {
  operationId: 'getHumanCheck',
  summary: 'Get the challenge of the human check',
  description: 'Where a human check is enabled. Its proof goes into the header `Callpass-Human-Check`.',
  tags: ['credentials'],
  response: PROBLEMS,
};

const authorize = (operationId: string, request: string) => ({
  operationId,
  summary: `Decide on a request to the vendor’s WebRTC gateway, ${request}`,
  description:
    'For the authorization sub-request of a listed proxy. The original request is in `X-Original-Method` and `X-Original-URI` or in ' +
    '`X-Forwarded-Method` and `X-Forwarded-Uri`, never in both. A refusal has its cause in `X-Callpass-Reason`.',
  tags: ['authorization'],
  response: {
    204: { type: 'null', description: 'Let it through' },
    ...PROBLEMS,
  },
});

/** `GET /v1/authorize`, `POST /v1/authorize` */
export const AUTHORIZE = {
  GET: authorize('authorizeByHead', 'by its method and URI'),
  POST: authorize('authorizeWithBody', 'with the body that starts a call'),
};

const probe = (operationId: string, summary: string, status: string) => ({
  operationId,
  summary,
  tags: ['probes'],
  response: {
    200: { ...object({ status: text }), description: summary, examples: [{ status }] },
    ...PROBLEMS,
  },
});

/** `GET /healthz` */
export const HEALTHZ = probe('getLiveness', 'The process answers', 'ok');
/** `GET /readyz` */
export const READYZ = probe('getReadiness', 'This edge may issue', 'ready');

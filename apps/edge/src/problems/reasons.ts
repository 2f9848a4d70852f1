import type { Reason } from '@callpass/client';

/** Status and title of a reason in a problem. */
export interface ProblemRow {
  /** Status of the HTTP answer. */
  readonly status: number;
  /** For a person. Fixed text: what the service or a library says goes to the log. */
  readonly title: string;
  /** Time to wait before the next try, in ms, where the error itself does not give it. */
  readonly retryAfterMs?: number;
}

const RETRY_SOON_MS = 1000;

const CANNOT_ISSUE_NOW = {
  status: 503,
  title: 'nothing can be issued now; try again a little later',
  retryAfterMs: RETRY_SOON_MS,
} as const satisfies ProblemRow;

const CALL_NOT_ACCEPTED = {
  status: 502,
  title: 'the service does not accept calls of this edge; compare the versions of both',
} as const satisfies ProblemRow;

const ANSWER_TOO_LATE = {
  status: 503,
  title: 'the service did not answer in time; try again a little later',
  retryAfterMs: RETRY_SOON_MS,
} as const satisfies ProblemRow;

/**
 * The one table from the service's reasons to HTTP. A browser gets 4xx where another request, visitor or time may do
 * better, 503 where waiting helps, and 502 where the edge and the service do not get on: that is no fault of the visitor.
 * A test compares the keys with the contract, and the page docs/guides/edge.md with the rows.
 */
export const SERVICE_REASONS: Readonly<Record<Reason, ProblemRow>> = {
  REQUEST_INVALID: {
    status: 400,
    title: 'the request breaks the rules of its fields; look at its violations',
  },
  CLIENT_UNKNOWN: {
    status: 502,
    title:
      'the service does not recognise this edge; its operator has to look at the credentials of the edge',
  },
  CLIENT_NOT_GRANTED: { status: 403, title: 'there is no such destination here; check its name' },
  CALLEE_NOT_ALLOWED: {
    status: 403,
    title: 'the destination does not allow this callee; leave the callee out, or ask its operator',
  },
  CALLER_NOT_ALLOWED: {
    status: 403,
    title: 'the destination does not allow this caller; leave the caller out, or ask its operator',
  },
  SUBJECT_REQUIRED: {
    status: 403,
    title: 'the destination serves only known visitors; send the cookie of this edge',
  },
  DESTINATION_DISABLED: { status: 403, title: 'the destination is switched off; ask its operator' },
  DESTINATION_CLOSED: {
    status: 403,
    title: 'the destination is closed at this time; try again when it opens',
  },
  FROZEN: { status: 403, title: 'an operator has stopped this; ask who runs this page' },
  LIMIT_EXCEEDED: {
    status: 429,
    title: 'too many credentials in this window of time; wait as long as retryAfter says',
  },
  REALM_UNKNOWN: { status: 404, title: 'no such realm; check its name' },
  DESTINATION_UNKNOWN: { status: 404, title: 'no such destination; check its name' },
  KEY_NOT_ACTIVE: { status: 503, title: 'the realm has no active key; its operator has to activate one' },
  KEY_STATE_INVALID: {
    status: 409,
    title: 'the state of the key does not allow this step; read the state of the key again',
  },
  REVISION_CONFLICT: {
    status: 409,
    title: 'the configuration has moved on; read it again and repeat the change',
  },
  REQUEST_ID_REUSED: {
    status: 422,
    title: 'the idempotency key was used before with another request; make a new one for each request',
  },
  LEDGER_UNAVAILABLE: CANNOT_ISSUE_NOW,
  STORE_UNAVAILABLE: CANNOT_ISSUE_NOW,
  STATE_ALTERED: { status: 503, title: 'the service cannot do this now; its operator has to look at it' },
  LIMITER_UNAVAILABLE: CANNOT_ISSUE_NOW,
  OVERLOADED: {
    status: 503,
    title: 'the service sheds load; try again a little later',
    retryAfterMs: RETRY_SOON_MS,
  },
  INTERNAL: { status: 502, title: 'the service failed; try again, and tell its operator the traceId' },
  KEY_UNKNOWN: { status: 404, title: 'no such key version; check its number' },
  REALM_IN_USE: {
    status: 409,
    title: 'the realm has tokens that are still valid; wait until they have expired',
  },
  REVISION_UNKNOWN: { status: 404, title: 'no such configuration revision; check its number' },
  FREEZE_UNKNOWN: { status: 404, title: 'nothing is frozen under this scope; check the scope' },
  CLOCK_UNTRUSTED: CANNOT_ISSUE_NOW,
  SNAPSHOT_STALE: CANNOT_ISSUE_NOW,
  SERVER_STOPPING: CANNOT_ISSUE_NOW,
  REQUEST_TOO_LARGE: { status: 413, title: 'the request is larger than the service takes; send less' },
  COMPRESSION_UNSUPPORTED: CALL_NOT_ACCEPTED,
  METHOD_UNKNOWN: CALL_NOT_ACCEPTED,
  SERVICE_UNKNOWN: CALL_NOT_ACCEPTED,
  DEADLINE_EXCEEDED: ANSWER_TOO_LATE,
};

/** Reasons of the edge itself, including those for a service that gives no reason. A closed set of its own. */
export const EDGE_REASONS = {
  BODY_TOO_LARGE: { status: 413, title: 'the body is larger than this edge takes; send less' },
  CONTENT_TYPE_NOT_SUPPORTED: {
    status: 415,
    title: 'a body must be application/json; set the header content-type',
  },
  DESTINATION_UNRESTRICTED: {
    status: 409,
    title:
      'this destination takes calls without tokens, which this route cannot express; use POST /v1/destinations/{id}/credentials',
  },
  EDGE_FAULT: { status: 500, title: 'the edge failed; try again, and tell its operator the traceId' },
  HEADERS_TOO_LARGE: {
    status: 431,
    title: 'the headers are larger than this edge takes; send fewer cookies and headers',
  },
  HUMAN_CHECK_REQUIRED: {
    status: 403,
    title: 'prove first that a human asks; solve the challenge and send it along',
  },
  METHOD_NOT_ALLOWED: {
    status: 405,
    title: 'the resource does not know this method; use one that the header allow names',
  },
  NOT_AUTHORIZED: { status: 403, title: 'nothing in this request verifies; fetch new credentials' },
  NOT_FOUND: { status: 404, title: 'no such resource; check the path' },
  NOT_READY: {
    status: 503,
    title: 'this edge takes no requests now; try again a little later',
    retryAfterMs: RETRY_SOON_MS,
  },
  ORIGIN_NOT_ALLOWED: {
    status: 403,
    title: 'pages of this origin may not ask here; its operator has to list the origin',
  },
  REQUEST_TOO_SLOW: { status: 408, title: 'the request did not arrive in time; send it again' },
  SERVICE_FAULT: {
    status: 502,
    title: 'the service gave no usable answer; try again, and tell its operator the traceId',
  },
  SERVICE_TIMEOUT: ANSWER_TOO_LATE,
  SERVICE_UNAVAILABLE: {
    status: 503,
    title: 'the service cannot verify now, so nothing is let through; try again a little later',
    retryAfterMs: RETRY_SOON_MS,
  },
  SERVICE_UNREACHABLE: {
    status: 503,
    title: 'the service cannot be reached; try again a little later',
    retryAfterMs: RETRY_SOON_MS,
  },
  TOO_MANY_REQUESTS: {
    status: 429,
    title: 'too many requests from this visitor or address; wait as long as retryAfter says',
  },
} as const satisfies Readonly<Record<string, ProblemRow>>;

/** A reason of the edge itself. */
export type EdgeReason = keyof typeof EDGE_REASONS;

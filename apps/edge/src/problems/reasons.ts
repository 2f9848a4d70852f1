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

/**
 * The one table from the service's reasons to HTTP. A browser gets 4xx where another request, visitor or time may do
 * better, 503 where waiting helps, and 502 where the edge and the service do not get on: that is no fault of the visitor.
 * A test compares the keys with the contract, and the page docs/guides/edge.md with the rows.
 */
export const SERVICE_REASONS: Readonly<Record<Reason, ProblemRow>> = {
  REQUEST_INVALID: { status: 400, title: 'the request breaks the rules of its fields' },
  CLIENT_UNKNOWN: { status: 502, title: 'the service does not recognise this edge' },
  CLIENT_NOT_GRANTED: { status: 403, title: 'there is no such destination here' },
  CALLEE_NOT_ALLOWED: { status: 403, title: 'the destination does not allow this callee' },
  CALLER_NOT_ALLOWED: { status: 403, title: 'the destination does not allow this caller' },
  SUBJECT_REQUIRED: { status: 403, title: 'the destination serves only known visitors' },
  DESTINATION_DISABLED: { status: 403, title: 'the destination is switched off' },
  DESTINATION_CLOSED: { status: 403, title: 'the destination is closed at this time' },
  FROZEN: { status: 403, title: 'an operator has stopped this' },
  LIMIT_EXCEEDED: { status: 429, title: 'too many credentials in this window of time' },
  REALM_UNKNOWN: { status: 404, title: 'no such realm' },
  DESTINATION_UNKNOWN: { status: 404, title: 'no such destination' },
  KEY_NOT_ACTIVE: { status: 503, title: 'the realm has no active key' },
  KEY_STATE_INVALID: { status: 409, title: 'the state of the key does not allow this step' },
  REVISION_CONFLICT: { status: 409, title: 'the configuration has moved on' },
  REQUEST_ID_REUSED: { status: 422, title: 'the idempotency key was used before with another request' },
  LEDGER_UNAVAILABLE: { status: 503, title: 'nothing can be issued now', retryAfterMs: RETRY_SOON_MS },
  STORE_UNAVAILABLE: { status: 503, title: 'nothing can be issued now', retryAfterMs: RETRY_SOON_MS },
  STATE_ALTERED: { status: 503, title: 'the service cannot do this now' },
  LIMITER_UNAVAILABLE: { status: 503, title: 'nothing can be issued now', retryAfterMs: RETRY_SOON_MS },
  OVERLOADED: { status: 503, title: 'the service sheds load', retryAfterMs: RETRY_SOON_MS },
  INTERNAL: { status: 502, title: 'the service failed' },
  KEY_UNKNOWN: { status: 404, title: 'no such key version' },
  REALM_IN_USE: { status: 409, title: 'the realm has tokens that are still valid' },
  REVISION_UNKNOWN: { status: 404, title: 'no such configuration revision' },
  FREEZE_UNKNOWN: { status: 404, title: 'nothing is frozen under this scope' },
  CLOCK_UNTRUSTED: { status: 503, title: 'nothing can be issued now', retryAfterMs: RETRY_SOON_MS },
  SNAPSHOT_STALE: { status: 503, title: 'nothing can be issued now', retryAfterMs: RETRY_SOON_MS },
  REQUEST_TOO_LARGE: { status: 413, title: 'the request is larger than the service takes' },
  COMPRESSION_UNSUPPORTED: { status: 502, title: 'the service does not accept calls of this edge' },
  METHOD_UNKNOWN: { status: 502, title: 'the service does not accept calls of this edge' },
  SERVICE_UNKNOWN: { status: 502, title: 'the service does not accept calls of this edge' },
  DEADLINE_EXCEEDED: {
    status: 503,
    title: 'the service did not answer in time',
    retryAfterMs: RETRY_SOON_MS,
  },
};

/** Reasons of the edge itself, including those for a service that gives no reason. A closed set of its own. */
export const EDGE_REASONS = {
  BODY_TOO_LARGE: { status: 413, title: 'the body is larger than this edge takes' },
  CONTENT_TYPE_NOT_SUPPORTED: { status: 415, title: 'a body must be application/json' },
  DESTINATION_UNRESTRICTED: {
    status: 409,
    title: 'this destination takes calls without tokens, which this route cannot express',
  },
  EDGE_FAULT: { status: 500, title: 'the edge failed' },
  HEADERS_TOO_LARGE: { status: 431, title: 'the headers are larger than this edge takes' },
  HUMAN_CHECK_REQUIRED: { status: 403, title: 'prove first that a human asks' },
  METHOD_NOT_ALLOWED: { status: 405, title: 'the resource does not know this method' },
  NOT_AUTHORIZED: { status: 403, title: 'nothing in this request verifies' },
  NOT_FOUND: { status: 404, title: 'no such resource' },
  NOT_READY: { status: 503, title: 'this edge takes no requests now', retryAfterMs: RETRY_SOON_MS },
  ORIGIN_NOT_ALLOWED: { status: 403, title: 'pages of this origin may not ask here' },
  REQUEST_TOO_SLOW: { status: 408, title: 'the request did not arrive in time' },
  SERVICE_FAULT: { status: 502, title: 'the service gave no usable answer' },
  SERVICE_TIMEOUT: { status: 503, title: 'the service did not answer in time', retryAfterMs: RETRY_SOON_MS },
  SERVICE_UNAVAILABLE: {
    status: 503,
    title: 'the service cannot verify now, so nothing is let through',
    retryAfterMs: RETRY_SOON_MS,
  },
  SERVICE_UNREACHABLE: {
    status: 503,
    title: 'the service cannot be reached',
    retryAfterMs: RETRY_SOON_MS,
  },
  TOO_MANY_REQUESTS: { status: 429, title: 'too many requests from this visitor or address' },
} as const satisfies Readonly<Record<string, ProblemRow>>;

/** A reason of the edge itself. */
export type EdgeReason = keyof typeof EDGE_REASONS;

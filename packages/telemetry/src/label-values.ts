/**
 * Values of `callpass.shed.cause`: too many requests in progress; no time left before the deadline; too many requests of one
 * connection in progress; too much memory in requests that are not complete; too many open streams of one connection or peer;
 * too many ledger entries that wait for a commit.
 */
export const SHED_CAUSES = ['in_flight', 'deadline', 'connection', 'memory', 'streams', 'queue'] as const;
/** Cause of shedding a request. */
export type ShedCause = (typeof SHED_CAUSES)[number];

/** Values of `callpass.request.fault`. */
export const REQUEST_FAULTS = [
  'not_grpc',
  'headers_too_large',
  'timeout_invalid',
  'compressed',
  'method_unknown',
  'message_too_large',
  'body_invalid',
] as const;
/** Fault for which a request was refused before its client was known. */
export type RequestFault = (typeof REQUEST_FAULTS)[number];

/**
 * Values of `callpass.connection.cause`. Refused: `total`, `peer` (too many connections altogether or of one peer). Closed:
 * `handshake` (no HTTP/2 handshake in time), `unfinished` (the oldest of too many without one), `unrecognised` (all places were
 * taken, and no client was recognised on it), `pings`, `resets`, `settings` (more than allowed), `stuck` (closing, but the peer does not
 * read the rest).
 */
export const CONNECTION_CAUSES = [
  'total',
  'peer',
  'handshake',
  'unfinished',
  'unrecognised',
  'pings',
  'resets',
  'settings',
  'stuck',
] as const;
/** Cause of refusing or closing a connection. */
export type ConnectionCause = (typeof CONNECTION_CAUSES)[number];

/** Values of `callpass.limit.outcome`. `near`: allowed, with a fifth of the limit or less left. */
export const LIMIT_OUTCOMES = ['allowed', 'near', 'refused', 'shadow', 'unavailable'] as const;
/** Outcome of counting a request against a limit. */
export type LimitTakeOutcome = (typeof LIMIT_OUTCOMES)[number];

/** Value of a label whose true value is outside the bounded set. */
export const LABEL_OTHER = '_other';
/** Value of `callpass.reason` for a granted request. */
export const REASON_NONE = 'NONE';

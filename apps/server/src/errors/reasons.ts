import { ErrorReason } from '@callpass/contract';
import { status } from '@grpc/grpc-js';

/** A value of ErrorReason as the wire has it, without prefix. */
export type Reason = Exclude<keyof typeof ErrorReason, 'UNSPECIFIED'>;

/**
 * The one table from a reason to its gRPC status and its text for a person. docs/errors.md has a section for each row;
 * a test keeps enum, table and page equal.
 */
export const REASONS: Readonly<Record<Reason, { readonly code: status; readonly message: string }>> = {
  REQUEST_INVALID: { code: status.INVALID_ARGUMENT, message: 'the request breaks the rules of its fields' },
  CLIENT_UNKNOWN: { code: status.UNAUTHENTICATED, message: 'no client is recognised by what was presented' },
  CLIENT_NOT_GRANTED: {
    code: status.PERMISSION_DENIED,
    message: 'the client has no grant for this, or it does not exist',
  },
  CALLEE_NOT_ALLOWED: {
    code: status.PERMISSION_DENIED,
    message: 'the destination does not allow this callee',
  },
  CALLER_NOT_ALLOWED: {
    code: status.PERMISSION_DENIED,
    message: 'the destination does not allow this caller',
  },
  SUBJECT_REQUIRED: {
    code: status.FAILED_PRECONDITION,
    message: 'the destination serves only visitors whom the client names',
  },
  DESTINATION_DISABLED: { code: status.FAILED_PRECONDITION, message: 'the destination is switched off' },
  DESTINATION_CLOSED: { code: status.FAILED_PRECONDITION, message: 'the destination is closed at this time' },
  FROZEN: { code: status.PERMISSION_DENIED, message: 'an operator has stopped this' },
  LIMIT_EXCEEDED: { code: status.RESOURCE_EXHAUSTED, message: 'too many credentials in this window of time' },
  REALM_UNKNOWN: { code: status.NOT_FOUND, message: 'no such realm' },
  DESTINATION_UNKNOWN: { code: status.NOT_FOUND, message: 'no such destination' },
  KEY_NOT_ACTIVE: { code: status.FAILED_PRECONDITION, message: 'the realm has no active key' },
  KEY_STATE_INVALID: {
    code: status.FAILED_PRECONDITION,
    message: 'the state of the key does not allow this step',
  },
  REVISION_CONFLICT: {
    code: status.ABORTED,
    message: 'the configuration has moved on since the revision that was expected',
  },
  REQUEST_ID_REUSED: {
    code: status.FAILED_PRECONDITION,
    message: 'the request id was used before with another request',
  },
  LEDGER_UNAVAILABLE: { code: status.UNAVAILABLE, message: 'the ledger cannot write, so nothing is issued' },
  STORE_UNAVAILABLE: { code: status.UNAVAILABLE, message: 'the store does not answer' },
  LIMITER_UNAVAILABLE: { code: status.UNAVAILABLE, message: 'the limits cannot be counted' },
  OVERLOADED: { code: status.RESOURCE_EXHAUSTED, message: 'the server sheds load' },
  INTERNAL: { code: status.INTERNAL, message: 'internal error' },
  KEY_UNKNOWN: { code: status.NOT_FOUND, message: 'no such key version' },
  REALM_IN_USE: {
    code: status.FAILED_PRECONDITION,
    message: 'a realm that would be removed has tokens that are still valid',
  },
  REVISION_UNKNOWN: { code: status.NOT_FOUND, message: 'no such configuration revision' },
  CLOCK_UNTRUSTED: {
    code: status.UNAVAILABLE,
    message: 'the clock of the server cannot be trusted, so nothing is issued',
  },
  FREEZE_UNKNOWN: { code: status.NOT_FOUND, message: 'nothing is frozen under this scope' },
};

import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { Code, CodeSchema } from '@callpass/rpc-protos/gen/google/rpc/code_pb.js';
import { describe, expect, it } from '@jest/globals';
import { ErrorReasonSchema } from './gen/callpass/v1/error_reason_pb.ts';
import { type FailureCode, type Reason, REASONS } from './reasons.ts';

const names = ErrorReasonSchema.values.filter(({ number }) => number !== 0).map(({ localName }) => localName);

/** By hand, so that a status that changes in the contract is seen here. */
const STATUS: Readonly<Record<Reason, FailureCode>> = {
  REQUEST_INVALID: Code.INVALID_ARGUMENT,
  CLIENT_UNKNOWN: Code.UNAUTHENTICATED,
  CLIENT_NOT_GRANTED: Code.PERMISSION_DENIED,
  CALLEE_NOT_ALLOWED: Code.PERMISSION_DENIED,
  CALLER_NOT_ALLOWED: Code.PERMISSION_DENIED,
  SUBJECT_REQUIRED: Code.FAILED_PRECONDITION,
  DESTINATION_DISABLED: Code.FAILED_PRECONDITION,
  DESTINATION_CLOSED: Code.FAILED_PRECONDITION,
  FROZEN: Code.PERMISSION_DENIED,
  LIMIT_EXCEEDED: Code.RESOURCE_EXHAUSTED,
  REALM_UNKNOWN: Code.NOT_FOUND,
  DESTINATION_UNKNOWN: Code.NOT_FOUND,
  KEY_NOT_ACTIVE: Code.FAILED_PRECONDITION,
  KEY_STATE_INVALID: Code.FAILED_PRECONDITION,
  REVISION_CONFLICT: Code.ABORTED,
  REQUEST_ID_REUSED: Code.FAILED_PRECONDITION,
  LEDGER_UNAVAILABLE: Code.UNAVAILABLE,
  STORE_UNAVAILABLE: Code.UNAVAILABLE,
  STATE_ALTERED: Code.FAILED_PRECONDITION,
  LIMITER_UNAVAILABLE: Code.UNAVAILABLE,
  OVERLOADED: Code.RESOURCE_EXHAUSTED,
  INTERNAL: Code.INTERNAL,
  KEY_UNKNOWN: Code.NOT_FOUND,
  REALM_IN_USE: Code.FAILED_PRECONDITION,
  REVISION_UNKNOWN: Code.NOT_FOUND,
  FREEZE_UNKNOWN: Code.NOT_FOUND,
  CLOCK_UNTRUSTED: Code.UNAVAILABLE,
  REQUEST_TOO_LARGE: Code.RESOURCE_EXHAUSTED,
  COMPRESSION_UNSUPPORTED: Code.UNIMPLEMENTED,
  METHOD_UNKNOWN: Code.UNIMPLEMENTED,
  SNAPSHOT_STALE: Code.UNAVAILABLE,
  SERVICE_UNKNOWN: Code.NOT_FOUND,
  DEADLINE_EXCEEDED: Code.DEADLINE_EXCEEDED,
  SERVER_STOPPING: Code.UNAVAILABLE,
};

describe('the reasons', () => {
  it('have a row in the table for each value of the contract, and none besides', () => {
    expect(Object.keys(REASONS).sort()).toEqual([...names].sort());
  });

  it('are each sent with the status that clients know', () => {
    const status = Object.entries(REASONS).map(([reason, facts]) => [reason, facts.status]);
    expect(Object.fromEntries(status)).toEqual(STATUS);
  });

  it('have a section in docs/errors.md with the same status, and none besides', () => {
    const page = readFileSync(join(import.meta.dirname, '../../../docs/errors.md'), 'utf8');
    const sections = [...page.matchAll(/^## ([A-Z_]+)\n+`([A-Z_]+)`/gm)].map(
      ([, reason, code]) => `${reason} ${code}`,
    );
    expect(sections.sort()).toEqual(
      Object.entries(REASONS)
        .map(([reason, { status }]) => `${reason} ${CodeSchema.value[status]?.name}`)
        .sort(),
    );
  });
});

import { detail, RpcError, type ErrorCode, type RpcErrorDetail } from '@callpass/grpc-kit';
import {
  BadRequestSchema,
  ErrorInfoSchema,
  RetryInfoSchema,
} from '@callpass/rpc-protos/gen/google/rpc/error_details_pb.js';
import { durationFromMs } from '@bufbuild/protobuf/wkt';
import { status } from '@grpc/grpc-js';
import type { Violation } from '../errors/callpass-error.ts';
import type { Reason } from '../errors/reason.ts';

/** How a call is to be refused. */
export interface ScriptedRefusal {
  /** Why; left out, the failure is one of the transport and `code` says which. */
  readonly reason?: Reason;
  /** Left out, the status that the service sends with the reason; UNAVAILABLE without a reason. */
  readonly code?: ErrorCode;
  readonly message?: string;
  readonly retryAfterMs?: number;
  readonly violations?: readonly Violation[];
  readonly metadata?: Readonly<Record<string, string>>;
}

/** The status that goes with each reason, as error_reason.proto says. */
export const REASON_CODES: Readonly<Record<Reason, ErrorCode>> = {
  REQUEST_INVALID: status.INVALID_ARGUMENT,
  CLIENT_UNKNOWN: status.UNAUTHENTICATED,
  CLIENT_NOT_GRANTED: status.PERMISSION_DENIED,
  CALLEE_NOT_ALLOWED: status.PERMISSION_DENIED,
  CALLER_NOT_ALLOWED: status.PERMISSION_DENIED,
  SUBJECT_REQUIRED: status.FAILED_PRECONDITION,
  DESTINATION_DISABLED: status.FAILED_PRECONDITION,
  DESTINATION_CLOSED: status.FAILED_PRECONDITION,
  FROZEN: status.PERMISSION_DENIED,
  LIMIT_EXCEEDED: status.RESOURCE_EXHAUSTED,
  REALM_UNKNOWN: status.NOT_FOUND,
  DESTINATION_UNKNOWN: status.NOT_FOUND,
  KEY_NOT_ACTIVE: status.FAILED_PRECONDITION,
  KEY_STATE_INVALID: status.FAILED_PRECONDITION,
  REVISION_CONFLICT: status.ABORTED,
  REQUEST_ID_REUSED: status.FAILED_PRECONDITION,
  LEDGER_UNAVAILABLE: status.UNAVAILABLE,
  STORE_UNAVAILABLE: status.UNAVAILABLE,
  LIMITER_UNAVAILABLE: status.UNAVAILABLE,
  OVERLOADED: status.RESOURCE_EXHAUSTED,
  INTERNAL: status.INTERNAL,
  KEY_UNKNOWN: status.NOT_FOUND,
  REALM_IN_USE: status.FAILED_PRECONDITION,
  REVISION_UNKNOWN: status.NOT_FOUND,
  FREEZE_UNKNOWN: status.NOT_FOUND,
  CLOCK_UNTRUSTED: status.UNAVAILABLE,
};

/** A refusal as the wire would carry it. */
export function refusalToRpcError(refusal: ScriptedRefusal): RpcError {
  const { reason, retryAfterMs, violations, metadata = {} } = refusal;
  const details: RpcErrorDetail[] = [];
  if (reason)
    details.push(detail(ErrorInfoSchema, { reason, domain: 'callpass', metadata: { ...metadata } }));
  if (violations) details.push(detail(BadRequestSchema, { fieldViolations: [...violations] }));
  if (retryAfterMs !== undefined)
    details.push(detail(RetryInfoSchema, { retryDelay: durationFromMs(retryAfterMs) }));
  const code = refusal.code ?? (reason ? REASON_CODES[reason] : status.UNAVAILABLE);
  return new RpcError(code, refusal.message ?? `refused by the test: ${reason ?? status[code]}`, { details });
}

import { REASONS, type Reason } from '@callpass/contract';
import { detail, RpcError, type ErrorCode, type RpcErrorDetail } from '@callpass/grpc-kit';
import {
  BadRequestSchema,
  ErrorInfoSchema,
  RetryInfoSchema,
} from '@callpass/rpc-protos/gen/google/rpc/error_details_pb.js';
import { durationFromMs } from '@bufbuild/protobuf/wkt';
import { status } from '@grpc/grpc-js';
import type { Violation } from '../errors/callpass-error.ts';

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

/** A refusal as the wire would carry it. */
export function refusalToRpcError(refusal: ScriptedRefusal): RpcError {
  const { reason, retryAfterMs, violations, metadata = {} } = refusal;
  const details: RpcErrorDetail[] = [];
  if (reason)
    details.push(detail(ErrorInfoSchema, { reason, domain: 'callpass', metadata: { ...metadata } }));
  if (violations) details.push(detail(BadRequestSchema, { fieldViolations: [...violations] }));
  if (retryAfterMs !== undefined)
    details.push(detail(RetryInfoSchema, { retryDelay: durationFromMs(retryAfterMs) }));
  const code = refusal.code ?? (reason ? REASONS[reason].status : status.UNAVAILABLE);
  return new RpcError(code, refusal.message ?? `refused by the test: ${reason ?? status[code]}`, { details });
}

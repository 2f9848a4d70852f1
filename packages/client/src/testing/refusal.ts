import { REASONS, type Reason } from '@callpass/contract';
import { detail, RpcError, type ErrorCode, type RpcErrorDetail } from '@callpass/grpc-kit/client';
import {
  BadRequestSchema,
  ErrorInfoSchema,
  RetryInfoSchema,
} from '@callpass/rpc-protos/gen/google/rpc/error_details_pb.js';
import { durationFromMs } from '@bufbuild/protobuf/wkt';
import { status } from '@grpc/grpc-js';
import type { Violation } from '../errors/callpass-error.ts';

/** A refusal for a test double to give. */
export interface ScriptedRefusal {
  /** Reason. Left out: a failure of the transport, with the status `code`. */
  readonly reason?: Reason;
  /** Status. Default: the one of the reason; UNAVAILABLE without a reason. */
  readonly code?: ErrorCode;
  readonly message?: string;
  readonly retryAfterMs?: number;
  readonly violations?: readonly Violation[];
  readonly metadata?: Readonly<Record<string, string>>;
}

/** Converts a refusal to the error that the transport would give. */
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

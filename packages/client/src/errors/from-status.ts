import type { Duration } from '@bufbuild/protobuf/wkt';
import { RpcError } from '@callpass/grpc-kit/client';
import {
  BadRequestSchema,
  ErrorInfoSchema,
  RetryInfoSchema,
} from '@callpass/rpc-protos/gen/google/rpc/error_details_pb.js';
import type { Status } from '@callpass/rpc-protos/gen/google/rpc/status_pb.js';
import { traceId as activeTraceId } from '@callpass/telemetry';
import { CallpassError } from './callpass-error.ts';
import { describeUnanswered } from './unanswered.ts';
import type { Reason } from '@callpass/contract';

const DOMAIN = 'callpass';
const REASON = /^[A-Z][A-Z0-9_]{0,62}$/;

/**
 * The one place where a status of the wire becomes a {@link CallpassError}. `address` is where the call went, if it went anywhere:
 * a status of it without a reason is of the transport, and is described in the caller's words. Its own text is that of the cause.
 */
export function toCallpassError(error: RpcError, address?: string): CallpassError {
  const info = error.findDetails(ErrorInfoSchema).find(({ domain }) => domain === DOMAIN);
  const [retry] = error.findDetails(RetryInfoSchema);
  const { traceId = activeTraceId(), ...metadata } = info?.metadata ?? {};
  const reason = info && REASON.test(info.reason) ? (info.reason as Reason) : undefined;
  const isUnanswered = reason === undefined && address !== undefined;
  return new CallpassError(isUnanswered ? describeUnanswered(error, address) : error.message, {
    code: error.code,
    reason,
    retryAfterMs: retry?.retryDelay && waitMs(retry.retryDelay),
    violations: error
      .findDetails(BadRequestSchema)
      .flatMap(({ fieldViolations }) => fieldViolations)
      .map(({ field, description }) => ({ field, description })),
    traceId,
    metadata,
    cause: error,
  });
}

/**
 * Converts the status of a refused request of a batch to the error that it would have been on its own.
 *
 * @example
 * ```ts
 * const { results } = await client.batchIssueCredentials({ requests });
 * for (const { result } of results)
 *   if (result.case === 'status') console.log(errorFromStatus(result.value).reason);
 * ```
 */
export function errorFromStatus(status: Status): CallpassError {
  return toCallpassError(new RpcError(status.code, status.message, { details: status.details }));
}

/** Rounded up: asking a moment too early would be refused again. */
function waitMs({ seconds, nanos }: Duration): number {
  return Math.max(0, Number(seconds) * 1_000 + Math.ceil(nanos / 1_000_000));
}

import { randomBytes } from 'node:crypto';
import { create } from '@bufbuild/protobuf';
import { anyIs } from '@bufbuild/protobuf/wkt';
import { type ProblemLink, REASONS, type Reason } from '@callpass/contract';
import { LimiterError, StoreError } from '@callpass/domain';
import {
  createCallKey,
  detail,
  type ErrorCode,
  type MapError,
  RpcError,
  type RpcErrorDetail,
} from '@callpass/grpc-kit';
import {
  BadRequestSchema,
  ErrorInfoSchema,
  HelpSchema,
  QuotaFailureSchema,
  RetryInfoSchema,
} from '@callpass/rpc-protos/gen/google/rpc/error_details_pb.js';
import { StatusSchema, type Status } from '@callpass/rpc-protos/gen/google/rpc/status_pb.js';
import { ATTR_PROBLEM_PATH, ATTR_REASON, ATTR_RULE, setSpanAttributes, traceId } from '@callpass/telemetry';
import { status } from '@grpc/grpc-js';
import { Refusal, type Violation } from './refusal.ts';

/** ErrorInfo.domain of every error of this service. */
export const ERROR_DOMAIN = 'callpass';

/** Why a call was not answered with OK; set where its error becomes a status. */
export const REASON = createCallKey<Reason>('reason');

/** Room for violations within the 4 KiB that gRPC peers take as error details. */
const MAX_VIOLATIONS_CHARACTERS = 3000;

/**
 * The one place where an error becomes a wire status. What is no refusal, or cannot be known to be safe, becomes INTERNAL
 * with a fixed text and the trace id; `onFault` gets the cause, for the log.
 */
export function createMapError(parts: StatusParts): MapError {
  return (error, call) => {
    const mapped = knownError(error, parts.linkTo) ?? faultError(error, call.methodName, parts);
    const reason = reasonOf(error);
    if (reason !== undefined) call.state.set(REASON, reason);
    setSpanAttributes({
      [ATTR_REASON]: reason ?? (mapped.code === status.INTERNAL ? 'INTERNAL' : undefined),
      [ATTR_RULE]: error instanceof Refusal ? error.details.rule : undefined,
      [ATTR_PROBLEM_PATH]: error instanceof Refusal ? error.details.violations?.[0]?.field : undefined,
    });
    return mapped;
  };
}

/** Takes a fault for the log, under the id that the client is given. */
export type OnFault = (fault: { error: unknown; method: string; traceId: string }) => void;

/** Parts that a status is made with. */
export interface StatusParts {
  readonly onFault: OnFault;
  /** Links of `google.rpc.Help`. */
  readonly linkTo: ProblemLink;
}

/** As `createMapError`, for one item of a batch: the status it would have had on its own. */
export function itemStatus(error: unknown, method: string, parts: StatusParts): Status {
  const { code, message, details } = knownError(error, parts.linkTo) ?? faultError(error, method, parts);
  return create(StatusSchema, { code, message, details: [...details] });
}

/** The reason of an error that `createMapError` has made, for the ledger and telemetry. */
export function reasonOf(error: unknown): Reason | undefined {
  if (error instanceof Refusal) return error.reason;
  if (error instanceof StoreError)
    return error.code === 'LEDGER_UNAVAILABLE' || error.code === 'STATE_ALTERED'
      ? error.code
      : 'STORE_UNAVAILABLE';
  if (error instanceof LimiterError) return error.code;
  return error instanceof RpcError ? REASON_OF_STATUS[error.code] : undefined;
}

function faultError(error: unknown, method: string, { onFault, linkTo }: StatusParts): RpcError {
  // Without tracing there is no trace, but client and log still need one name for the fault.
  const id = traceId() ?? randomBytes(16).toString('hex');
  onFault({ error, method, traceId: id });
  return refusalToError(new Refusal('INTERNAL', { cause: error, metadata: { traceId: id } }), linkTo);
}

function knownError(error: unknown, linkTo: ProblemLink): RpcError | undefined {
  if (error instanceof RpcError) return withErrorInfo(error, linkTo);
  if (error instanceof Refusal) return refusalToError(error, linkTo);
  const reason = reasonOf(error);
  return reason && refusalToError(new Refusal(reason, { cause: error }), linkTo);
}

/** The status of a refusal. */
export function refusalToError({ reason, details: given }: Refusal, linkTo: ProblemLink): RpcError {
  const facts = REASONS[reason];
  const details: RpcErrorDetail[] = [errorInfo(reason, given.metadata)];
  if (given.violations)
    details.push(detail(BadRequestSchema, { fieldViolations: thatFit(given.violations) }));
  if (given.retryAfterMs !== undefined) {
    const ms = Math.max(0, Math.ceil(given.retryAfterMs));
    details.push(
      detail(RetryInfoSchema, {
        retryDelay: { seconds: BigInt(Math.floor(ms / 1000)), nanos: (ms % 1000) * 1_000_000 },
      }),
    );
  }
  if (given.quota) details.push(detail(QuotaFailureSchema, { violations: [given.quota] }));
  details.push(help(reason, linkTo));
  const [first] = given.violations ?? [];
  const message =
    given.message ?? (first ? `invalid request: ${first.field}: ${first.description}` : facts.message);
  return new RpcError(facts.status, message, { details, cause: given.cause });
}

/**
 * Reasons of the errors that grpc-kit and grpc-js make themselves, by their status: a message that cannot be decoded or
 * breaks a rule, health of an unknown service, a message that is too large, the end of a deadline.
 */
const REASON_OF_STATUS: Partial<Record<ErrorCode, Reason>> = {
  [status.INVALID_ARGUMENT]: 'REQUEST_INVALID',
  [status.NOT_FOUND]: 'SERVICE_UNKNOWN',
  [status.RESOURCE_EXHAUSTED]: 'REQUEST_TOO_LARGE',
  [status.DEADLINE_EXCEEDED]: 'DEADLINE_EXCEEDED',
};

/** Gives an error of {@link REASON_OF_STATUS} its reason. */
function withErrorInfo(error: RpcError, linkTo: ProblemLink): RpcError {
  if (error.details.some((any) => anyIs(any, ErrorInfoSchema))) return error;
  const reason = REASON_OF_STATUS[error.code];
  if (!reason) return error;
  if (reason !== 'REQUEST_INVALID') return refusalToError(new Refusal(reason, { cause: error }), linkTo);
  // The only one of them whose text says more than its reason does.
  const { code, message, details, cause } = error;
  const completed = [errorInfo(reason), ...details, help(reason, linkTo)];
  return new RpcError(code, message, { details: completed, cause });
}

/** Completes a status that grpc-js made itself, see `completeStatuses` of grpc-kit. */
export function statusWithReason(linkTo: ProblemLink): (code: ErrorCode) => RpcError {
  return (code) => refusalToError(new Refusal(REASON_OF_STATUS[code] ?? 'INTERNAL'), linkTo);
}

function errorInfo(reason: Reason, metadata: Readonly<Record<string, string>> = {}): RpcErrorDetail {
  const trace = traceId();
  return detail(ErrorInfoSchema, {
    reason,
    domain: ERROR_DOMAIN,
    metadata: trace === undefined ? { ...metadata } : { ...metadata, traceId: trace },
  });
}

function help(reason: Reason, linkTo: ProblemLink): RpcErrorDetail {
  return detail(HelpSchema, { links: [{ description: `what ${reason} means`, url: linkTo(reason) }] });
}

function thatFit(violations: readonly Violation[]): Violation[] {
  let room = MAX_VIOLATIONS_CHARACTERS;
  return violations.filter(({ field, description }, index) => {
    room -= field.length + description.length + 8;
    return room >= 0 || index === 0;
  });
}

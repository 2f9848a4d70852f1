import { getOption } from '@bufbuild/protobuf';
import { Code, CodeSchema } from '@callpass/rpc-protos/gen/google/rpc/code_pb.js';
import {
  default_message,
  type ErrorReason,
  ErrorReasonSchema,
  grpc_status,
} from './gen/callpass/v1/error_reason_pb.ts';

/** The reason why a call failed: a value of `ErrorReason` without its prefix. Each has a section in docs/errors.md. */
export type Reason = Exclude<keyof typeof ErrorReason, 'UNSPECIFIED'>;

/** A gRPC status code other than OK. */
export type FailureCode = Exclude<(typeof Code)[keyof typeof Code], typeof Code.OK>;

/** Facts about a reason, from the options of its enum value. */
export interface ReasonFacts {
  /** The gRPC status that the reason is sent with. */
  readonly status: FailureCode;
  /** The message of the status where there is no more specific one. */
  readonly message: string;
}

/**
 * Facts about each reason, read once from the descriptor of `ErrorReason`.
 *
 * @example
 * ```ts
 * REASONS.LIMIT_EXCEEDED.status; // 8, RESOURCE_EXHAUSTED
 * ```
 */
export const REASONS: Readonly<Record<Reason, ReasonFacts>> = readReasons();

function readReasons(): Record<Reason, ReasonFacts> {
  const facts = {} as Record<string, ReasonFacts>;
  for (const value of ErrorReasonSchema.values) {
    if (value.number === 0) continue;
    const status = getOption(value, grpc_status);
    const message = getOption(value, default_message);
    if (!isFailure(status) || message === '')
      throw new TypeError(`${value.name} needs the options grpc_status, not OK, and default_message`);
    facts[value.localName] = { status, message };
  }
  return facts;
}

function isFailure(code: Code): code is FailureCode {
  return code !== Code.OK && code in CodeSchema.value;
}

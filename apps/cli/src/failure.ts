import type { CallpassError } from '@callpass/client';
import { EXIT, type ExitCode } from '@callpass/program';

/** A fault that concerns a field, and where it stands in the document if there is one. */
export interface FieldFault {
  readonly field: string;
  readonly description: string;
  readonly line?: number;
  readonly column?: number;
}

/** Details of a failure, in JSON as `{"error": …}`. */
export interface FailureDetails {
  readonly message: string;
  /** Name of the gRPC status. */
  readonly code?: string | undefined;
  /** Reason of the service, see docs/errors.md. */
  readonly reason?: string | undefined;
  readonly violations?: readonly FieldFault[];
  readonly retryAfterMs?: number | undefined;
  readonly traceId?: string | undefined;
  readonly metadata?: Readonly<Record<string, string>>;
}

/** The reason why a command did not do its work. */
export class Failure extends Error {
  readonly exitCode: ExitCode;
  readonly details: FailureDetails;
  /** The document that the lines of the violations count in. */
  readonly document: string | undefined;

  constructor(exitCode: ExitCode, details: FailureDetails, document?: string) {
    super(details.message);
    this.name = 'Failure';
    this.exitCode = exitCode;
    this.details = details;
    this.document = document;
  }
}

/** A failure of use: options, files, environment. */
export function wrongUse(message: string): Failure {
  return new Failure(EXIT.wrongUse, { message });
}

/** Turns any error into a failure with its details and exit code. Errors that should not happen are thrown on. */
export async function failureOf(error: unknown): Promise<Failure> {
  if (error instanceof Failure) return error;
  if (!isCallpassError(error)) throw error;
  const { status } = await import('@grpc/grpc-js');
  const { message, reason, code, violations, retryAfterMs, traceId, metadata } = error;
  const silent = code === status.UNAVAILABLE || code === status.DEADLINE_EXCEEDED;
  const unreached = reason === undefined && silent;
  return new Failure(unreached ? EXIT.unreachable : EXIT.failed, {
    message,
    code: status[code],
    reason,
    violations,
    retryAfterMs,
    traceId,
    metadata,
  });
}

/** By its name, so that a wrong command line is refused without loading the client. */
function isCallpassError(error: unknown): error is CallpassError {
  return error instanceof Error && error.name === 'CallpassError';
}

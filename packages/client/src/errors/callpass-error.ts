import type { status } from '@grpc/grpc-js';
import type { Reason } from '@callpass/contract';

/** A field of the request that breaks its rule. */
export interface Violation {
  /** Path as protovalidate writes it, for example `configuration.realms[0].name`. */
  readonly field: string;
  /** What is wrong with it; never its value. */
  readonly description: string;
}

/** What a {@link CallpassError} carries besides its message. */
export interface CallpassErrorDetails {
  readonly code: Exclude<status, status.OK>;
  readonly reason?: Reason | undefined;
  readonly retryAfterMs?: number | undefined;
  readonly violations?: readonly Violation[];
  readonly traceId?: string | undefined;
  readonly metadata?: Readonly<Record<string, string>>;
  readonly cause?: unknown;
}

/** The one error of this client: what the service refused, or that it could not be asked. */
export class CallpassError extends Error {
  /** Status code of gRPC, never OK. */
  readonly code: Exclude<status, status.OK>;
  /**
   * Why the service refused. Undefined where the status carries no reason: then it does not come from the service's own
   * rules but from the transport, the deadline, a proxy. A service newer than this client may send a reason that
   * the type does not have yet, so a `switch` over it needs a default.
   */
  readonly reason: Reason | undefined;
  /** How long to wait before asking again, in ms. Undefined where the service says nothing about it. */
  readonly retryAfterMs: number | undefined;
  /** The fields that break a rule; empty unless the reason is REQUEST_INVALID. */
  readonly violations: readonly Violation[];
  /** Trace of the request, 32 hexadecimal digits, to be given to operators. Undefined where nothing was traced. */
  readonly traceId: string | undefined;
  /** What else the reason tells, such as the next opening time. Keys depend on the reason. */
  readonly metadata: Readonly<Record<string, string>>;

  constructor(message: string, details: CallpassErrorDetails) {
    super(message, details.cause === undefined ? undefined : { cause: details.cause });
    this.name = 'CallpassError';
    this.code = details.code;
    this.reason = details.reason;
    this.retryAfterMs = details.retryAfterMs;
    this.violations = details.violations ?? [];
    this.traceId = details.traceId;
    this.metadata = details.metadata ?? {};
  }
}

import type { status } from '@grpc/grpc-js';
import type { Reason } from '@callpass/contract';

/** A field of the request that breaks its rule. */
export interface Violation {
  /** Path as protovalidate writes it, for example `configuration.realms[0].name`. */
  readonly field: string;
  /** The fault; never contains the value. */
  readonly description: string;
}

/** Details of a {@link CallpassError}. */
export interface CallpassErrorDetails {
  readonly code: Exclude<status, status.OK>;
  readonly reason?: Reason | undefined;
  readonly retryAfterMs?: number | undefined;
  readonly violations?: readonly Violation[];
  readonly traceId?: string | undefined;
  readonly metadata?: Readonly<Record<string, string>>;
  readonly cause?: unknown;
}

/** Marks errors of this class, of whichever copy of this package. */
const MARK = Symbol.for('@callpass/client.CallpassError');

/**
 * The error of every failed call: a refusal by the service, or a failure to reach it.
 *
 * @example
 * ```ts
 * try {
 *   await client.issueCredentials({ destination: 'support' });
 * } catch (error) {
 *   if (!(error instanceof CallpassError)) throw error;
 *   if (error.reason === 'LIMIT_EXCEEDED') console.log(`try again in ${error.retryAfterMs} ms`);
 * }
 * ```
 */
export class CallpassError extends Error {
  /** gRPC status code, never OK. */
  readonly code: Exclude<status, status.OK>;
  /**
   * Reason of the refusal. Undefined if the status carries none: then it comes from the transport, the deadline or a proxy,
   * not from the service's rules. A newer service may send a reason that the type does not have yet, so a `switch` over it
   * needs a default.
   */
  readonly reason: Reason | undefined;
  /** Time to wait before the next attempt, in ms. Undefined if the service gives none. */
  readonly retryAfterMs: number | undefined;
  /** The fields that break a rule; empty unless the reason is REQUEST_INVALID. */
  readonly violations: readonly Violation[];
  /** Trace id of the request, 32 hexadecimal digits, for operators. Undefined if nothing was traced. */
  readonly traceId: string | undefined;
  /** Further facts, such as the next opening time. The keys depend on the reason. */
  readonly metadata: Readonly<Record<string, string>>;
  /** `instanceof` is true for errors of every copy of this package that a program has loaded. */
  static override [Symbol.hasInstance](value: unknown): value is CallpassError {
    return this === CallpassError
      ? typeof value === 'object' && value !== null && MARK in value
      : Function.prototype[Symbol.hasInstance].call(this, value);
  }

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

Object.defineProperty(CallpassError.prototype, MARK, { value: true });

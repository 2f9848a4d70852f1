import { REASONS, type Reason } from '@callpass/contract';

/** A field that breaks its rule. */
export interface Violation {
  /** Path as protovalidate writes it, for example `configuration.realms[0].name`. */
  readonly field: string;
  readonly description: string;
}

/** Details of a refusal besides its reason. Never a key, token or subject. */
export interface RefusalDetails {
  /** Replaces the reason's default message where there is more to say. */
  readonly message?: string;
  /** ErrorInfo metadata. */
  readonly metadata?: Readonly<Record<string, string>>;
  readonly violations?: readonly Violation[];
  readonly retryAfterMs?: number;
  /** The limit that was exceeded, for QuotaFailure. */
  readonly quota?: { readonly subject: string; readonly description: string };
  /** The rule that refused, for the ledger. */
  readonly rule?: string;
  readonly cause?: unknown;
}

/** A request that is not granted, for a reason that the caller may know. */
export class Refusal extends Error {
  readonly reason: Reason;
  readonly details: RefusalDetails;

  /** The gRPC status that it becomes: telemetry separates refusals from faults by it. */
  get code(): number {
    return REASONS[this.reason].status;
  }

  constructor(reason: Reason, details: RefusalDetails = {}) {
    super(reason, { cause: details.cause });
    this.name = 'Refusal';
    this.reason = reason;
    this.details = details;
  }
}

/** A refusal of one field. */
export function invalidField(field: string, description: string): Refusal {
  return new Refusal('REQUEST_INVALID', { violations: [{ field, description }] });
}

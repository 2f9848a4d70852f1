import { CallpassError, type Reason, type Violation } from '@callpass/client';
import { type ProblemLink, problemLinks } from '@callpass/contract';
import { status as code } from '@grpc/grpc-js';
import { describeFault, type SchemaFault } from './forms.ts';
import { EDGE_REASONS, SERVICE_REASONS, type EdgeReason, type ProblemRow } from './reasons.ts';

/** Media type of every error that the edge answers with (RFC 9457). */
export const PROBLEM_TYPE = 'application/problem+json; charset=utf-8';

/** Page of the documentation that has the reasons of the edge itself. */
const EDGE_PAGE = 'docs/guides/edge.md';

const NAMES = problemLinks();

/** Details of an {@link EdgeProblem} besides its reason. */
export interface ProblemDetails {
  /** Replaces the reason's own row, where the reason means something else than for a request for credentials. */
  readonly row?: ProblemRow | undefined;
  readonly retryAfterMs?: number | undefined;
  readonly violations?: readonly Violation[];
  readonly traceId?: string | undefined;
  /** More members of the body, such as `opensAt`. */
  readonly members?: Readonly<Record<string, unknown>>;
  /** More headers of the answer, such as `allow`. */
  readonly headers?: Readonly<Record<string, string>>;
  readonly cause?: unknown;
}

/** An answer that is no success: thrown anywhere in the edge, and made into a response in one place. */
export class EdgeProblem extends Error {
  readonly reason: EdgeReason | Reason;
  readonly row: ProblemRow;
  readonly details: ProblemDetails;

  constructor(reason: EdgeReason | Reason, details: ProblemDetails = {}) {
    const row: ProblemRow =
      details.row ?? (isEdgeReason(reason) ? EDGE_REASONS[reason] : SERVICE_REASONS[reason]);
    super(row.title, { cause: details.cause });
    this.name = 'EdgeProblem';
    this.reason = reason;
    this.row = row;
    this.details = details;
  }

  get status(): number {
    return this.row.status;
  }

  /** Whole seconds for `Retry-After`, rounded up, or undefined. */
  get retryAfterSeconds(): number | undefined {
    const ms = this.details.retryAfterMs ?? this.row.retryAfterMs;
    return ms === undefined ? undefined : Math.max(1, Math.ceil(ms / 1000));
  }

  /**
   * The body of the answer: fixed texts, and nothing of what was asked but names of fields. `linkTo` gives its `type`; by default
   * the name of the reason as a URN.
   */
  body(traceId: string, linkTo: ProblemLink = NAMES): Record<string, unknown> {
    const { violations = [], members = {} } = this.details;
    return {
      type: isEdgeReason(this.reason) ? linkTo(this.reason, EDGE_PAGE) : linkTo(this.reason),
      title: this.row.title,
      status: this.status,
      reason: this.reason,
      traceId: this.details.traceId ?? traceId,
      ...(this.retryAfterSeconds === undefined ? {} : { retryAfter: this.retryAfterSeconds }),
      ...(violations.length === 0 ? {} : { violations }),
      ...members,
    };
  }
}

function isEdgeReason(reason: EdgeReason | Reason): reason is EdgeReason {
  return Object.hasOwn(EDGE_REASONS, reason);
}

/** Members of the service's metadata that a page can use. The rest is for operators. */
const PUBLIC_METADATA = ['opensAt'];

/** Reported to operators only. An edge that is one, as in the sandbox, does not pass it on: no probing. */
const UNTOLD: ReadonlySet<Reason> = new Set(['DESTINATION_UNKNOWN', 'REALM_UNKNOWN']);

/** The problem that an error of the service comes to. */
export function problemOf(error: CallpassError): EdgeProblem {
  const { reason, retryAfterMs, violations, traceId, metadata } = error;
  const members = Object.fromEntries(
    Object.entries(metadata).filter(([key]) => PUBLIC_METADATA.includes(key)),
  );
  const details = { retryAfterMs, violations, traceId, members, cause: error };
  // A service newer than this edge may send a reason that the table does not have.
  if (reason !== undefined && Object.hasOwn(SERVICE_REASONS, reason)) {
    return new EdgeProblem(UNTOLD.has(reason) ? 'CLIENT_NOT_GRANTED' : reason, details);
  }
  return new EdgeProblem(withoutReason(error), details);
}

function withoutReason(error: CallpassError): EdgeReason {
  if (error.code === code.UNAVAILABLE) return 'SERVICE_UNREACHABLE';
  if (error.code === code.DEADLINE_EXCEEDED) return 'SERVICE_TIMEOUT';
  return 'SERVICE_FAULT';
}

/** Error of Fastify or Ajv about a request that they do not accept. */
interface RequestFault {
  readonly code?: string;
  readonly statusCode?: number;
  readonly validation?: readonly SchemaFault[];
  readonly validationContext?: string;
}

const REFUSED_BY_FASTIFY: Readonly<Record<string, EdgeReason>> = {
  FST_ERR_CTP_BODY_TOO_LARGE: 'BODY_TOO_LARGE',
  FST_ERR_CTP_INVALID_MEDIA_TYPE: 'CONTENT_TYPE_NOT_SUPPORTED',
  FST_ERR_CTP_INVALID_TYPE: 'CONTENT_TYPE_NOT_SUPPORTED',
};

/** The one place where something thrown becomes a problem. */
export function toProblem(error: unknown): EdgeProblem {
  if (error instanceof EdgeProblem) return error;
  if (error instanceof CallpassError) return problemOf(error);
  if (typeof error !== 'object' || error === null) return new EdgeProblem('EDGE_FAULT', { cause: error });
  const { code: name = '', statusCode = 500, validation, validationContext = '' } = error as RequestFault;
  if (validation) {
    const violations = validation.map((fault) => ({
      field: `${validationContext}${fault.instancePath}`,
      description: describeFault(fault),
    }));
    return new EdgeProblem('REQUEST_INVALID', { violations });
  }
  const refused = REFUSED_BY_FASTIFY[name];
  if (refused !== undefined) return new EdgeProblem(refused);
  if (statusCode >= 400 && statusCode < 500) return new EdgeProblem('REQUEST_INVALID', { cause: error });
  return new EdgeProblem('EDGE_FAULT', { cause: error });
}

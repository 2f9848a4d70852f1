/** Refusal of the edge: `application/problem+json` (RFC 9457) and the `Retry-After` header. */
export interface Problem {
  readonly status: number;
  readonly reason?: string;
  /** The edge's text for people. */
  readonly title?: string;
  /** Next opening of the destination, in milliseconds since the epoch. */
  readonly opensAtMs?: number;
  readonly retryAfterMs?: number;
}

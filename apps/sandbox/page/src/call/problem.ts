import type { Refusal } from '@callpass/client/browser';

/** Refusal of the edge: `application/problem+json` (RFC 9457) and the `Retry-After` header. */
export type Problem = Refusal;

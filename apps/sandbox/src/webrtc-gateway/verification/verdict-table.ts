import { type Reason, Verdict } from '@callpass/contract';
import type { RefusalName } from '../protocol/refusal.ts';

/**
 * Refusals of the gateway for the verdicts of the service; undefined if the call is allowed. The vendor's gateway has fewer
 * verdicts: it reads a timestamp in seconds as one in milliseconds, of 1970, which is expired.
 */
export const VERDICT_REFUSALS: Readonly<Record<Verdict, RefusalName | undefined>> = {
  [Verdict.VERDICT_UNSPECIFIED]: 'INTERNAL',
  [Verdict.VALID]: undefined,
  [Verdict.EXPIRED]: 'TOKEN_EXPIRED',
  [Verdict.NOT_YET_VALID]: 'INVALID_TOKEN',
  [Verdict.MALFORMED]: 'INVALID_TOKEN',
  [Verdict.UNDECIPHERABLE]: 'INVALID_TOKEN',
  [Verdict.WRONG_KIND]: 'INVALID_TOKEN',
  [Verdict.WRONG_TIME_UNIT]: 'TOKEN_EXPIRED',
  [Verdict.NOT_ISSUED_HERE]: 'INVALID_TOKEN',
  [Verdict.FROZEN]: 'NOT_ENABLED',
  [Verdict.MISMATCHED]: 'INVALID_TOKEN',
};

/** Responses of the gateway when the service refuses to validate. Any other reason is an internal error. */
export const REASON_REFUSALS: Readonly<Partial<Record<Reason, RefusalName>>> = {
  // A realm that does not exist looks like one without a grant, so that nobody can probe.
  CLIENT_NOT_GRANTED: 'INVALID_REALM',
  REALM_UNKNOWN: 'INVALID_REALM',
};

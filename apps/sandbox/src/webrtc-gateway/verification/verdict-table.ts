import { type Reason, Verdict } from '@callpass/contract';
import type { RefusalName } from '../protocol/refusal.ts';

/**
 * What the gateway answers to what the service found out about a token; nothing where the call may go on. The vendor's gateway
 * has fewer words: a timestamp in seconds, read as milliseconds, is one of 1970 and so expired.
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

/** What the gateway answers when the service refuses to judge. Any other reason means that it could not find out. */
export const REASON_REFUSALS: Readonly<Partial<Record<Reason, RefusalName>>> = {
  // A realm that does not exist looks like one without a grant, so that nobody can probe.
  CLIENT_NOT_GRANTED: 'INVALID_REALM',
  REALM_UNKNOWN: 'INVALID_REALM',
};

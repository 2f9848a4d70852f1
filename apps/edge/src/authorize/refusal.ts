import type { EnumName, Verdict } from '@callpass/contract';
import { EdgeProblem } from '../problems/problem.ts';

/** Header of a refusal, for the proxy: a verdict of the service, or one of the edge's own causes. */
const REASON_HEADER = 'x-callpass-reason';

/** Cause of a refusal besides the verdicts of the service. */
type OwnCause =
  'PROXY_NOT_LISTED' | 'REQUEST_NOT_UNDERSTOOD' | 'REALM_NOT_LISTED' | 'CALL_BODY_MISSING' | 'TOKEN_USED';

/** Refusal of a request that is not let through, with its cause in a header. */
export function notAuthorized(cause: OwnCause | EnumName<typeof Verdict>): EdgeProblem {
  return new EdgeProblem('NOT_AUTHORIZED', { headers: { [REASON_HEADER]: cause } });
}

/** Refusal of a request of which nobody can say now if it may be let through. */
export function unavailable(cause?: unknown): EdgeProblem {
  return new EdgeProblem('SERVICE_UNAVAILABLE', {
    headers: { [REASON_HEADER]: 'SERVICE_UNAVAILABLE' },
    cause,
  });
}

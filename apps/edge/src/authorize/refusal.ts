import {
  GATEWAY_REASON_HEADER,
  gatewayRefusalMembers,
  type GatewayCause,
} from '@callpass/token-core/gateway';
import { EdgeProblem } from '../problems/problem.ts';

/** Refusal of a request that is not let through, with its cause in a header and in the members that the vendor's SDK reads. */
export function notAuthorized(cause: GatewayCause): EdgeProblem {
  return new EdgeProblem('NOT_AUTHORIZED', {
    headers: { [GATEWAY_REASON_HEADER]: cause },
    members: gatewayRefusalMembers(cause),
  });
}

/** Refusal of a request of a proxy that may not ask. */
export function proxyNotListed(): EdgeProblem {
  return new EdgeProblem('NOT_AUTHORIZED', { headers: { [GATEWAY_REASON_HEADER]: 'PROXY_NOT_LISTED' } });
}

/** Refusal of a request of which nobody can say now if it may be let through. */
export function unavailable(cause?: unknown): EdgeProblem {
  return new EdgeProblem('SERVICE_UNAVAILABLE', {
    headers: { [GATEWAY_REASON_HEADER]: 'SERVICE_UNAVAILABLE' },
    members: gatewayRefusalMembers('SERVICE_UNAVAILABLE'),
    cause,
  });
}

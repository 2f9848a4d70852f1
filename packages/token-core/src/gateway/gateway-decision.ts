import type { Verdict } from '../token/verify.ts';
import {
  readGatewayRequest,
  type GatewayHttpRequest,
  type GatewayRequest,
  type GatewayStep,
} from './gateway-request.ts';
import type { SingleUse } from './single-use.ts';

/** Cause for which a request is not let through: a verdict on its tokens, or another. */
export type GatewayCause =
  | Exclude<Verdict, 'VALID'>
  | 'REQUEST_NOT_UNDERSTOOD'
  | 'REALM_NOT_LISTED'
  | 'CALL_BODY_MISSING'
  | 'TOKEN_USED'
  | 'SERVICE_UNAVAILABLE';

/** Decision on a request to the vendor's WebRTC gateway. `SERVICE_UNAVAILABLE`: nobody can say now. */
export type GatewayDecision = 'LET_THROUGH' | GatewayCause;

/** Verdict on all tokens that a request presents: issued here, together, and not frozen. */
export interface GatewayVerification {
  readonly verdict: Verdict;
  /** By another state than the newest, in which a freeze may be missing. */
  readonly stale: boolean;
  /** End of the account token, in ms since the epoch; undefined where the verdict is another than VALID. */
  readonly expireTimeMs: number | undefined;
}

/** Rules of a door in front of the vendor's WebRTC gateway. */
export interface GatewayRules {
  /** Need of the request that starts a call: its body with the whole set, or the account token alone. */
  readonly callStart: 'body' | 'accountToken';
  /** Lets an account token open one session. Undefined: as many as it may until it expires. */
  readonly singleUse?: SingleUse | undefined;
}

/** Service that verifies for a door. */
export interface GatewayVerifier {
  /** Tests that tokens of the realm may be let through. */
  isListed(realm: string): boolean;
  /** @param ignoreExpiry set for what continues a call: an account token that has expired, and nothing else, is `VALID` */
  verify(request: GatewayRequest, ignoreExpiry: boolean): Promise<GatewayVerification>;
}

/** Steps that open something at the gateway. The others continue it, so that the expiry of the token does not end a call. */
const OPENS: Readonly<Record<GatewayStep, boolean>> = {
  SUBSCRIBE: true,
  START_CALL: true,
  RENEW_SUBSCRIPTION: false,
  END_SUBSCRIPTION: false,
  CONTINUE_CALL: false,
  END_CALL: false,
};

/**
 * Decides on a request to the vendor's WebRTC gateway, the same for every door. Rejects as `verify` does.
 *
 * @param request undefined where its proxy does not pass it on as a whole, and once.
 */
export async function decideGatewayRequest(
  request: GatewayHttpRequest | undefined,
  { callStart, singleUse }: GatewayRules,
  verifier: GatewayVerifier,
): Promise<GatewayDecision> {
  const presented = request && readGatewayRequest(request);
  if (presented === undefined) return 'REQUEST_NOT_UNDERSTOOD';
  const { step, realm } = presented;
  if (!verifier.isListed(realm)) return 'REALM_NOT_LISTED';
  if (step === 'START_CALL' && callStart === 'body' && presented.callStart === undefined)
    return 'CALL_BODY_MISSING';
  const { verdict, stale, expireTimeMs = 0 } = await verifier.verify(presented, !OPENS[step]);
  if (stale) return 'SERVICE_UNAVAILABLE';
  if (verdict !== 'VALID') return verdict;
  const use = await singleUse?.use(presented, expireTimeMs);
  if (use === 'USED') return 'TOKEN_USED';
  return use === 'UNKNOWN' ? 'SERVICE_UNAVAILABLE' : 'LET_THROUGH';
}

/** Header of a refusal that has its cause, for the proxy. */
export const GATEWAY_REASON_HEADER = 'x-callpass-reason';

/** Codes of the vendor's protocol: expired, not enabled, and for all others wrong token. */
const CODES: Partial<Record<GatewayCause, number>> = { EXPIRED: 65, FROZEN: 35 };
const WRONG_TOKEN = 46;
const INTERNAL_ERROR = 26;

/** Members of a refusal's body that the vendor's SDK reads. Without them it breaks, and its page learns nothing. */
export function gatewayRefusalMembers(
  cause: GatewayCause,
): Readonly<Record<string, { readonly statusCode: number }>> {
  if (cause === 'SERVICE_UNAVAILABLE') return membersOf('subscribeResponse', INTERNAL_ERROR);
  return membersOf('authorizationResponse', CODES[cause] ?? WRONG_TOKEN);
}

const membersOf = (ofSubscription: string, statusCode: number) => ({
  [ofSubscription]: { statusCode },
  callControlResponse: { statusCode },
});

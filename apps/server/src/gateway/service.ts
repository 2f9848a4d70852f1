import type { ProblemLink } from '@callpass/contract';
import { covers } from '@callpass/domain';
import type { Handlers } from '@callpass/grpc-kit';
import type { Authorization } from '@callpass/rpc-protos/gen/envoy/service/auth/v3/external_auth_pb.js';
import type { GatewayRequest } from '@callpass/token-core';
import { ATTR_REASON, setSpanAttributes } from '@callpass/telemetry';
import {
  decideGatewayRequest,
  type GatewayDecision,
  type GatewayRules,
  type GatewayVerification,
} from '@callpass/token-core/gateway';
import { callerOf } from '../credentials/service.ts';
import { validateCredentials, validateToken, type ValidateDependencies } from '../credentials/validate.ts';
import { reasonOf } from '../errors/map-error.ts';
import type { Caller } from '../errors/refusal-records.ts';
import { answerOf } from './answer.ts';
import { originalRequestOf } from './original-request.ts';

/** Dependencies of the handlers. */
export type GatewayDependencies = ValidateDependencies & {
  readonly rules: GatewayRules;
  readonly linkTo: ProblemLink;
};

/**
 * The handlers of Envoy's external authorization: decide on requests to the vendor's WebRTC gateway. Tokens of the realms are let
 * through for which the calling Envoy has the role VALIDATOR.
 */
export function gatewayHandlers(dependencies: GatewayDependencies): Handlers<typeof Authorization> {
  return {
    async check({ attributes }, call) {
      const caller = callerOf(call);
      const { state, rules, linkTo } = dependencies;
      const decision = await decideGatewayRequest(originalRequestOf(attributes), rules, {
        isListed: (realm) => covers(caller.principal.realms, realm) && state.snapshot.realms.has(realm),
        verify: (request, ignoreExpiry) => verify(dependencies, caller, request, ignoreExpiry),
      }).catch(withoutVerdict);
      if (decision !== 'LET_THROUGH') setSpanAttributes({ [ATTR_REASON]: decision });
      return answerOf(decision, linkTo);
    },
  };
}

async function verify(
  dependencies: GatewayDependencies,
  caller: Caller,
  { realm, accountToken, callStart }: GatewayRequest,
  ignoreExpiry: boolean,
): Promise<GatewayVerification> {
  const query = { realm, requireIssuedHere: true };
  const isStale = () => dependencies.state.staleness !== undefined;
  if (callStart === undefined) {
    const token = { ...query, token: accountToken, kind: 'ACCOUNT', ignoreExpiry } as const;
    const { verdict, expireTimeMs } = await validateToken(dependencies, caller, token);
    return { verdict, stale: isStale(), expireTimeMs };
  }
  const { verdict, account } = await validateCredentials(dependencies, caller, {
    ...query,
    tokens: { accountToken, fromToken: callStart.fromToken, toToken: callStart.toToken },
    expectedCallee: undefined,
    expectedCaller: undefined,
  });
  return { verdict, stale: isStale(), expireTimeMs: account.expireTimeMs };
}

/** Decision after a known failure, such as a store that is away, which says nothing about the tokens. Rethrows faults. */
function withoutVerdict(error: unknown): GatewayDecision {
  if (reasonOf(error) === undefined) throw error;
  return 'SERVICE_UNAVAILABLE';
}

export {
  decideGatewayRequest,
  GATEWAY_REASON_HEADER,
  gatewayRefusalMembers,
  type GatewayCause,
  type GatewayDecision,
  type GatewayRules,
  type GatewayVerification,
} from './gateway-decision.ts';
export { type GatewayBody, MAX_GATEWAY_BODY_BYTES, readGatewayBody } from './gateway-body.ts';
export { createSingleUse, type SingleUse } from './single-use.ts';

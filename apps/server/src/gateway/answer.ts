import type { MessageInitShape } from '@bufbuild/protobuf';
import type { ProblemLink } from '@callpass/contract';
import { HeaderValueOption_HeaderAppendAction } from '@callpass/rpc-protos/gen/envoy/config/core/v3/base_pb.js';
import type { CheckResponseSchema } from '@callpass/rpc-protos/gen/envoy/service/auth/v3/external_auth_pb.js';
import { StatusCode } from '@callpass/rpc-protos/gen/envoy/type/v3/http_status_pb.js';
import { traceId } from '@callpass/telemetry';
import {
  GATEWAY_REASON_HEADER,
  gatewayRefusalMembers,
  type GatewayCause,
  type GatewayDecision,
} from '@callpass/token-core/gateway';
import { status } from '@grpc/grpc-js';

/** Page of the documentation that has the reasons of the answers. */
const PAGE = 'docs/guides/edge.md';

/** Facts of an answer that lets nothing through. */
interface Row {
  readonly reason: string;
  readonly code: number;
  readonly http: StatusCode;
  readonly headers: Readonly<Record<string, string>>;
}

const NOT_AUTHORIZED: Row = {
  reason: 'NOT_AUTHORIZED',
  code: status.PERMISSION_DENIED,
  http: StatusCode.Forbidden,
  headers: {},
};
const UNAVAILABLE: Row = {
  reason: 'SERVICE_UNAVAILABLE',
  code: status.UNAVAILABLE,
  http: StatusCode.ServiceUnavailable,
  headers: { 'retry-after': '1' },
};

/** The answer to Envoy. A refusal is what the edge answers with at `/v1/authorize`; Envoy hands it to the visitor. */
export function answerOf(
  decision: GatewayDecision,
  linkTo: ProblemLink,
): MessageInitShape<typeof CheckResponseSchema> {
  if (decision === 'LET_THROUGH')
    return { status: { code: status.OK }, httpResponse: { case: 'okResponse', value: {} } };
  const { reason, code, http, headers } = decision === 'SERVICE_UNAVAILABLE' ? UNAVAILABLE : NOT_AUTHORIZED;
  const all = {
    'content-type': 'application/problem+json; charset=utf-8',
    'cache-control': 'no-store',
    [GATEWAY_REASON_HEADER]: decision,
    ...headers,
  };
  return {
    status: { code, message: decision },
    httpResponse: {
      case: 'deniedResponse',
      value: {
        status: { code: http },
        headers: Object.entries(all).map(([key, value]) => ({
          header: { key, value },
          appendAction: HeaderValueOption_HeaderAppendAction.OVERWRITE_IF_EXISTS_OR_ADD,
        })),
        body: JSON.stringify(problemOf(decision, { reason, status: http }, linkTo)),
      },
    },
  };
}

function problemOf(
  cause: GatewayCause,
  { reason, status: http }: { readonly reason: string; readonly status: number },
  linkTo: ProblemLink,
) {
  return {
    type: linkTo(reason, PAGE),
    status: http,
    reason,
    traceId: traceId(),
    ...gatewayRefusalMembers(cause),
  };
}

/**
 * Every name that leaves Callpass in a span or a metric.
 *
 * The `rpc.*`, `server.*`, `network.*` and `error.type` names are the stable OpenTelemetry semantic
 * conventions 1.45; they are written out here so that the package depends on the API alone, and a test
 * compares them with `@opentelemetry/semantic-conventions`. The `callpass.*` names are ours.
 */

/** Instrumentation scope of every span and metric of this package. */
export const SCOPE_NAME = '@callpass/telemetry';

/** Which RPC system is spoken; always {@link RPC_SYSTEM_GRPC}. */
export const ATTR_RPC_SYSTEM_NAME = 'rpc.system.name';
/** Full method name, `package.Service/Method`; {@link METHOD_OTHER} when it is not a known one. */
export const ATTR_RPC_METHOD = 'rpc.method';
/** gRPC status by name: `OK`, `PERMISSION_DENIED`, ... */
export const ATTR_RPC_STATUS_CODE = 'rpc.status_code';
/** Host the client calls, or the host the server serves as. */
export const ATTR_SERVER_ADDRESS = 'server.address';
/** Port that belongs to {@link ATTR_SERVER_ADDRESS}. */
export const ATTR_SERVER_PORT = 'server.port';
/** Address of the other end of the connection, without its port. */
export const ATTR_NETWORK_PEER_ADDRESS = 'network.peer.address';
/** Method of an HTTP request; {@link METHOD_OTHER} when it is not a known one. */
export const ATTR_HTTP_REQUEST_METHOD = 'http.request.method';
/** Pattern of the route that served an HTTP request, never its path. */
export const ATTR_HTTP_ROUTE = 'http.route';
/** Status code of an HTTP answer, a number. */
export const ATTR_HTTP_RESPONSE_STATUS_CODE = 'http.response.status_code';
/** `http` or `https`, as the visitor's browser speaks it. */
export const ATTR_URL_SCHEME = 'url.scheme';
/** Present for faults only: the status name, or the class of the error in a child span. */
export const ATTR_ERROR_TYPE = 'error.type';

/** What was decided about a credential: `issued`, `refused`, ... */
export const ATTR_DECISION = 'callpass.decision';
/** Why: a name of the proto enum `ErrorReason`. */
export const ATTR_REASON = 'callpass.reason';
/** Id of the destination. */
export const ATTR_DESTINATION = 'callpass.destination';
/** Name of the realm. */
export const ATTR_REALM = 'callpass.realm';
/** Id of the calling client (the service, never the visitor). */
export const ATTR_CLIENT = 'callpass.client';
/** Version of the realm key used; a number, never the key. */
export const ATTR_KEY_VERSION = 'callpass.key_version';
/** Revision of the configuration that was in force. */
export const ATTR_CONFIGURATION_REVISION = 'callpass.configuration_revision';
/** UUIDv7 of the issuance; joins a trace with its ledger entry. */
export const ATTR_ISSUANCE_ID = 'callpass.issuance_id';

/** Value of {@link ATTR_RPC_SYSTEM_NAME}. */
export const RPC_SYSTEM_GRPC = 'grpc';
/** Value of {@link ATTR_RPC_METHOD} for a method that is not known. */
export const METHOD_OTHER = '_OTHER';
/** Value of {@link ATTR_ERROR_TYPE} for an error that has no usable class name. */
export const ERROR_TYPE_OTHER = '_OTHER';

/** Histogram of served calls, in seconds. */
export const METRIC_RPC_SERVER_CALL_DURATION = 'rpc.server.call.duration';
/** Histogram of made calls, in seconds. */
export const METRIC_RPC_CLIENT_CALL_DURATION = 'rpc.client.call.duration';
/** Histogram of served HTTP requests, in seconds. */
export const METRIC_HTTP_SERVER_REQUEST_DURATION = 'http.server.request.duration';
/** Upper bounds, in seconds, that the semantic conventions advise for all three histograms. */
export const RPC_DURATION_BOUNDARIES: readonly number[] = [
  0.005, 0.01, 0.025, 0.05, 0.075, 0.1, 0.25, 0.5, 0.75, 1, 2.5, 5, 7.5, 10,
];

/**
 * The attributes a span may carry. Anything else is left out, whoever sets it: tokens, keys, subjects and
 * addresses of visitors have no name here, so they cannot reach a trace.
 */
export const SPAN_ATTRIBUTES = [
  ATTR_RPC_SYSTEM_NAME,
  ATTR_RPC_METHOD,
  ATTR_RPC_STATUS_CODE,
  ATTR_SERVER_ADDRESS,
  ATTR_SERVER_PORT,
  ATTR_NETWORK_PEER_ADDRESS,
  ATTR_HTTP_REQUEST_METHOD,
  ATTR_HTTP_ROUTE,
  ATTR_HTTP_RESPONSE_STATUS_CODE,
  ATTR_URL_SCHEME,
  ATTR_ERROR_TYPE,
  ATTR_DECISION,
  ATTR_REASON,
  ATTR_DESTINATION,
  ATTR_REALM,
  ATTR_CLIENT,
  ATTR_KEY_VERSION,
  ATTR_CONFIGURATION_REVISION,
  ATTR_ISSUANCE_ID,
] as const;

/** The labels a point of an RPC histogram may carry; each has a small, closed set of values. */
export const METRIC_ATTRIBUTES = [
  ATTR_RPC_SYSTEM_NAME,
  ATTR_RPC_METHOD,
  ATTR_RPC_STATUS_CODE,
  ATTR_ERROR_TYPE,
] as const;

/** The labels a point of the HTTP histogram may carry; routes are those of the program, never paths. */
export const HTTP_METRIC_ATTRIBUTES = [
  ATTR_HTTP_REQUEST_METHOD,
  ATTR_HTTP_ROUTE,
  ATTR_HTTP_RESPONSE_STATUS_CODE,
  ATTR_URL_SCHEME,
  ATTR_ERROR_TYPE,
] as const;

/** A name of {@link SPAN_ATTRIBUTES}. */
export type SpanAttributeName = (typeof SPAN_ATTRIBUTES)[number];

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
/** Why a client has no connection, where that is known: Node's code of it, such as `CERT_HAS_EXPIRED`, `ECONNREFUSED`. */
export const ATTR_TRANSPORT_FAULT = 'callpass.transport.fault';

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

/** Which rule or limit of the configuration decided, as the error names it: `hours`, `limits[0] per SUBJECT`. */
export const ATTR_RULE = 'callpass.rule';
/** What was found of a token or set: a name of the proto enum `Verdict`. */
export const ATTR_VERDICT = 'callpass.verdict';
/** Name of a limit of a destination: `limits[0] per SUBJECT`. */
export const ATTR_LIMIT = 'callpass.limit';
/** What became of a take: `allowed`, `near`, `refused`, `shadow`, `unavailable`. */
export const ATTR_LIMIT_OUTCOME = 'callpass.limit.outcome';
/** The least share of any limit that was left, 0 to 1. */
export const ATTR_LIMIT_HEADROOM = 'callpass.limit.headroom';
/** What became of a group commit (`committed`, `failed`) or why an entry was turned away (`full`, `overdue`, `closed`). */
export const ATTR_LEDGER_OUTCOME = 'callpass.ledger.outcome';
/** Entries in a group commit. */
export const ATTR_LEDGER_ENTRIES = 'callpass.ledger.entries';
/** Bytes of a group commit as it goes to the thread of the store. */
export const ATTR_LEDGER_BYTES = 'callpass.ledger.bytes';
/** Entries that wait for the next commit. */
export const ATTR_LEDGER_QUEUED = 'callpass.ledger.queued';
/** Where in the configuration document a problem is: `destinations[0].realm`. Never a value. */
export const ATTR_PROBLEM_PATH = 'callpass.problem.path';
/** How often the client has tried before, on the event of a retry. */
export const ATTR_ATTEMPT = 'callpass.attempt';
/** How long the client waits before it tries again, in ms. */
export const ATTR_RETRY_DELAY_MS = 'callpass.retry.delay_ms';
/** What a call is to an overloaded server: `ISSUE`, `VALIDATE`, `OPERATE`. */
export const ATTR_LOAD_CLASS = 'callpass.load_class';
/** Why a request was refused at once: see `SHED_CAUSES`. */
export const ATTR_SHED_CAUSE = 'callpass.shed.cause';
/** Why a connection was refused or cut off: see `CONNECTION_CAUSES`. */
export const ATTR_CONNECTION_CAUSE = 'callpass.connection.cause';
/** Which of its certificates a process means: `server`, `client_ca`, `client`. */
export const ATTR_CERTIFICATE = 'callpass.certificate';
/** Where the wall clock jumped: `forward`, `backward`. */
export const ATTR_CLOCK_DIRECTION = 'callpass.clock.direction';
/** Version of the program. */
export const ATTR_BUILD_VERSION = 'callpass.version';
/** Version of Node.js. */
export const ATTR_NODE_VERSION = 'nodejs.version';
/** What CPU time was spent as: `user`, `system`. */
export const ATTR_CPU_MODE = 'cpu.mode';

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
/** Child spans: what a request goes through. Each is there only where its work was reached. */
export const SPAN_AUTHENTICATE = 'callpass.client.authenticate';
/** Whether the client has the role and grant for what it asks. */
export const SPAN_AUTHORIZE = 'callpass.request.authorize';
/** One request of a batch; holds what the server's span holds of a single one. */
export const SPAN_BATCH_ITEM = 'callpass.batch.item';
/** Look-up of an answer that was given before under the same request id. */
export const SPAN_FIND_ANSWER = 'callpass.answer.find';
/** Freezes and the rules of the destination. */
export const SPAN_MODERATE = 'callpass.issue.moderate';
/** One from each counter of the destination's limits. */
export const SPAN_TAKE_LIMIT = 'callpass.limit.take';
/** The three tokens. */
export const SPAN_ENCRYPT = 'callpass.token.encrypt';
/** The wait of one entry until it is durable; linked to the {@link SPAN_GROUP_COMMIT} it shared. */
export const SPAN_COMMIT = 'callpass.ledger.commit';
/** One commit of the store for the entries of many requests; linked to each {@link SPAN_COMMIT} in it. In the trace of the first. */
export const SPAN_GROUP_COMMIT = 'callpass.ledger.group_commit';
/** Form, time and belonging of tokens. */
export const SPAN_VERIFY = 'callpass.token.verify';
/** Look-up of the record of an issue. */
export const SPAN_FIND_ISSUED = 'callpass.ledger.find';

/** Event of the span in which a call was made: an attempt failed and is made again. */
export const EVENT_RETRY = 'callpass.retry';
/** Event of a server span: the request was refused at once because of the load. */
export const EVENT_SHED = 'callpass.shed';

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
  ATTR_TRANSPORT_FAULT,
  ATTR_DECISION,
  ATTR_REASON,
  ATTR_DESTINATION,
  ATTR_REALM,
  ATTR_CLIENT,
  ATTR_KEY_VERSION,
  ATTR_CONFIGURATION_REVISION,
  ATTR_ISSUANCE_ID,
  ATTR_RULE,
  ATTR_VERDICT,
  ATTR_LIMIT,
  ATTR_LIMIT_OUTCOME,
  ATTR_LIMIT_HEADROOM,
  ATTR_LEDGER_OUTCOME,
  ATTR_LEDGER_ENTRIES,
  ATTR_LEDGER_BYTES,
  ATTR_LEDGER_QUEUED,
  ATTR_PROBLEM_PATH,
  ATTR_ATTEMPT,
  ATTR_RETRY_DELAY_MS,
  ATTR_SHED_CAUSE,
] as const;

/** A name of {@link SPAN_ATTRIBUTES}. */
export type SpanAttributeName = (typeof SPAN_ATTRIBUTES)[number];

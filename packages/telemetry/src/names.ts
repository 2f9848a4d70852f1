/**
 * All names in the spans and metrics of Callpass.
 *
 * The `rpc.*`, `server.*`, `network.*` and `error.type` names are the stable OpenTelemetry semantic conventions 1.45. They are
 * repeated here so that the package depends on the API alone; a test compares them with
 * `@opentelemetry/semantic-conventions`. The `callpass.*` names are ours.
 */

/** Instrumentation scope of every span and metric of this package. */
export const SCOPE_NAME = '@callpass/telemetry';

/** RPC system; always {@link RPC_SYSTEM_GRPC}. */
export const ATTR_RPC_SYSTEM_NAME = 'rpc.system.name';
/** Full method name, `package.Service/Method`; {@link METHOD_OTHER} for an unknown one. */
export const ATTR_RPC_METHOD = 'rpc.method';
/** gRPC status by name: `OK`, `PERMISSION_DENIED`, ... */
export const ATTR_RPC_STATUS_CODE = 'rpc.status_code';
/** Host that the client calls, or host name of the server. */
export const ATTR_SERVER_ADDRESS = 'server.address';
/** Port of {@link ATTR_SERVER_ADDRESS}. */
export const ATTR_SERVER_PORT = 'server.port';
/** Address of the peer of the connection, without its port. */
export const ATTR_NETWORK_PEER_ADDRESS = 'network.peer.address';
/** Method of an HTTP request; {@link METHOD_OTHER} for an unknown one. */
export const ATTR_HTTP_REQUEST_METHOD = 'http.request.method';
/** Pattern of the route that served an HTTP request, never its path. */
export const ATTR_HTTP_ROUTE = 'http.route';
/** Status code of an HTTP response, a number. */
export const ATTR_HTTP_RESPONSE_STATUS_CODE = 'http.response.status_code';
/** Scheme in the visitor's browser: `http` or `https`. */
export const ATTR_URL_SCHEME = 'url.scheme';
/** Status name, or in a child span the class of the error. Present for faults only. */
export const ATTR_ERROR_TYPE = 'error.type';
/** Cause of a client's missing connection, if known, as Node's error code: `CERT_HAS_EXPIRED`, `ECONNREFUSED`. */
export const ATTR_TRANSPORT_FAULT = 'callpass.transport.fault';

/** Decision about a credential: `issued`, `refused`, ... */
export const ATTR_DECISION = 'callpass.decision';
/** Reason of the decision: a name of the proto enum `ErrorReason`. */
export const ATTR_REASON = 'callpass.reason';
/** Id of the destination. */
export const ATTR_DESTINATION = 'callpass.destination';
/** Name of the realm. */
export const ATTR_REALM = 'callpass.realm';
/** Id of the calling client (the service, never the visitor). */
export const ATTR_CLIENT = 'callpass.client';
/** Version of the realm key; a number, never the key. */
export const ATTR_KEY_VERSION = 'callpass.key_version';
/** Revision of the configuration in force. */
export const ATTR_CONFIGURATION_REVISION = 'callpass.configuration_revision';
/** UUIDv7 of the issuance, which links a trace with its ledger entry. */
export const ATTR_ISSUANCE_ID = 'callpass.issuance_id';

/** Rule or limit of the configuration that decided, as in the error: `hours`, `limits[0] per SUBJECT`. */
export const ATTR_RULE = 'callpass.rule';
/** Verdict on a token or set: a name of the proto enum `Verdict`. */
export const ATTR_VERDICT = 'callpass.verdict';
/** Limit of a destination: `limits[0] per SUBJECT`. */
export const ATTR_LIMIT = 'callpass.limit';
/** Outcome of counting against a limit: `allowed`, `near`, `refused`, `shadow`, `unavailable`. */
export const ATTR_LIMIT_OUTCOME = 'callpass.limit.outcome';
/** Way in which counters of limits were lost: `emptied`, `evicted`. */
export const ATTR_LIMIT_LOSS = 'callpass.limit.loss';
/** Smallest remaining share of all limits, 0 to 1. */
export const ATTR_LIMIT_HEADROOM = 'callpass.limit.headroom';
/** Outcome of a group commit (`committed`, `failed`), or cause of rejecting an entry (`full`, `overdue`, `closed`). */
export const ATTR_LEDGER_OUTCOME = 'callpass.ledger.outcome';
/** Number of entries in a group commit. */
export const ATTR_LEDGER_ENTRIES = 'callpass.ledger.entries';
/** Size of a group commit in bytes, as sent to the store's thread. */
export const ATTR_LEDGER_BYTES = 'callpass.ledger.bytes';
/** Number of entries that wait for the next commit. */
export const ATTR_LEDGER_QUEUED = 'callpass.ledger.queued';
/** Place of a problem in the configuration document: `destinations[0].realm`. Never a value. */
export const ATTR_PROBLEM_PATH = 'callpass.problem.path';
/** Number of attempts before this one, on the event of a retry. */
export const ATTR_ATTEMPT = 'callpass.attempt';
/** Time before the next attempt, in milliseconds. */
export const ATTR_RETRY_DELAY_MS = 'callpass.retry.delay_ms';
/** Class of a call for load shedding: `ISSUE`, `VALIDATE`, `OPERATE`. */
export const ATTR_LOAD_CLASS = 'callpass.load_class';
/** Cause for which nothing is issued by the state in force: `TOO_OLD`, `SEALED_ANEW`, `UNREADABLE`. */
export const ATTR_SNAPSHOT_STALENESS = 'callpass.snapshot.staleness';
/** Cause of shedding a request: see `SHED_CAUSES`. */
export const ATTR_SHED_CAUSE = 'callpass.shed.cause';
/** Cause of refusing or closing a connection: see `CONNECTION_CAUSES`. */
export const ATTR_CONNECTION_CAUSE = 'callpass.connection.cause';
/** Fault for which a call was refused before its client was known; see `REQUEST_FAULTS`. */
export const ATTR_REQUEST_FAULT = 'callpass.request.fault';
/** Thing that the server works with: `store`, `ledger`, `limiter`. */
export const ATTR_DEPENDENCY = 'callpass.dependency';
/** Kind of telemetry that goes to a collector: `traces`, `metrics`, `logs`. */
export const ATTR_TELEMETRY_SIGNAL = 'callpass.telemetry.signal';
/** Cause for which telemetry was lost: `queue_full` (more than the collector takes), `export_failed`. */
export const ATTR_TELEMETRY_LOSS = 'callpass.telemetry.loss';
/** Certificate of the process: `server`, `client_ca`, `edge`. */
export const ATTR_CERTIFICATE = 'callpass.certificate';
/** Direction of a jump of the wall clock: `forward`, `backward`. */
export const ATTR_CLOCK_DIRECTION = 'callpass.clock.direction';
/** Clock that the wall clock is compared with: `database`, or `ledger` for the latest issue. */
export const ATTR_CLOCK_REFERENCE = 'callpass.clock.reference';
/** Version of the program. */
export const ATTR_BUILD_VERSION = 'callpass.version';
/** Version of Node.js. */
export const ATTR_NODE_VERSION = 'nodejs.version';
/** Mode of CPU time: `user`, `system`. */
export const ATTR_CPU_MODE = 'cpu.mode';

/** Value of {@link ATTR_RPC_SYSTEM_NAME}. */
export const RPC_SYSTEM_GRPC = 'grpc';
/** Value of {@link ATTR_RPC_METHOD} for an unknown method. */
export const METHOD_OTHER = '_OTHER';
/** Value of {@link ATTR_ERROR_TYPE} for an error that has no usable class name. */
export const ERROR_TYPE_OTHER = '_OTHER';

/** Histogram of the duration of served calls, in seconds. */
export const METRIC_RPC_SERVER_CALL_DURATION = 'rpc.server.call.duration';
/** Histogram of the duration of outgoing calls, in seconds. */
export const METRIC_RPC_CLIENT_CALL_DURATION = 'rpc.client.call.duration';
/** Histogram of the duration of served HTTP requests, in seconds. */
export const METRIC_HTTP_SERVER_REQUEST_DURATION = 'http.server.request.duration';
/** Child span: the authentication of the client. Child spans exist only for steps that were reached. */
export const SPAN_AUTHENTICATE = 'callpass.client.authenticate';
/** Child span: the check of the client's role and grant. */
export const SPAN_AUTHORIZE = 'callpass.request.authorize';
/** Child span: one request of a batch, with the attributes that a single request has on the server's span. */
export const SPAN_BATCH_ITEM = 'callpass.batch.item';
/** Child span: the look-up of an earlier answer to the same request id. */
export const SPAN_FIND_ANSWER = 'callpass.answer.find';
/** Child span: freezes and the rules of the destination. */
export const SPAN_MODERATE = 'callpass.issue.moderate';
/** Child span: counting the request against the destination's limits. */
export const SPAN_TAKE_LIMIT = 'callpass.limit.take';
/** Child span: the encryption of the three tokens. */
export const SPAN_ENCRYPT = 'callpass.token.encrypt';
/** Child span: the wait of one entry until it is durable. Linked to its {@link SPAN_GROUP_COMMIT}. */
export const SPAN_COMMIT = 'callpass.ledger.commit';
/** Commit of the store for the entries of many requests. Linked to each {@link SPAN_COMMIT}; part of the first one's trace. */
export const SPAN_GROUP_COMMIT = 'callpass.ledger.group_commit';
/** Child span at a client: a request that waits for an RPC which it shares. Linked to its {@link SPAN_SHARE}. */
export const SPAN_COALESCE = 'callpass.request.coalesce';
/** RPC of a client for many requests. Linked to each {@link SPAN_COALESCE}; part of the first one's trace. */
export const SPAN_SHARE = 'callpass.request.share';
/** Child span: the verification of tokens. */
export const SPAN_VERIFY = 'callpass.token.verify';
/** Child span: the look-up of the record of an issue. */
export const SPAN_FIND_ISSUED = 'callpass.ledger.find';

/** Event on the span around a call: an attempt failed and is repeated. */
export const EVENT_RETRY = 'callpass.retry';
/** Event on the span around a call: an attempt has no answer yet and another instance is asked too. */
export const EVENT_HEDGE = 'callpass.hedge';
/** Event on a server span: the request was refused at once because of overload. */
export const EVENT_SHED = 'callpass.shed';

/**
 * Attributes that a span may have. All others are dropped. Tokens, keys, subjects and addresses of visitors have no name
 * here, so they cannot get into a trace.
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
  ATTR_REQUEST_FAULT,
  ATTR_SHED_CAUSE,
] as const;

/** Name in {@link SPAN_ATTRIBUTES}. */
export type SpanAttributeName = (typeof SPAN_ATTRIBUTES)[number];

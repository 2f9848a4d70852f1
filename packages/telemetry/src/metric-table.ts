import {
  ATTR_BUILD_VERSION,
  ATTR_CERTIFICATE,
  ATTR_CLOCK_DIRECTION,
  ATTR_CONNECTION_CAUSE,
  ATTR_CPU_MODE,
  ATTR_DECISION,
  ATTR_DESTINATION,
  ATTR_ERROR_TYPE,
  ATTR_HTTP_REQUEST_METHOD,
  ATTR_HTTP_RESPONSE_STATUS_CODE,
  ATTR_HTTP_ROUTE,
  ATTR_LEDGER_OUTCOME,
  ATTR_LIMIT,
  ATTR_LIMIT_OUTCOME,
  ATTR_LOAD_CLASS,
  ATTR_NODE_VERSION,
  ATTR_REALM,
  ATTR_REASON,
  ATTR_RPC_METHOD,
  ATTR_RPC_STATUS_CODE,
  ATTR_RPC_SYSTEM_NAME,
  ATTR_SHED_CAUSE,
  ATTR_URL_SCHEME,
  ATTR_VERDICT,
  METRIC_HTTP_SERVER_REQUEST_DURATION,
  METRIC_RPC_CLIENT_CALL_DURATION,
  METRIC_RPC_SERVER_CALL_DURATION,
} from './names.ts';

/** What a metric is: adds up, goes up and down, or counts how values spread. */
export type MetricKind = 'counter' | 'gauge' | 'histogram';

/** One metric: its name and everything that is said of it, wherever it is exported. */
export interface MetricRow {
  readonly name: string;
  readonly kind: MetricKind;
  /** UCUM, as OpenTelemetry asks for. In braces: what is counted. Empty: a gauge that is 0 or 1. */
  readonly unit: string;
  /** The same set on every point, each with a closed or bounded set of values: never a subject, an address or a token. */
  readonly labels: readonly string[];
  readonly description: string;
  /** Upper bounds of the buckets of a histogram. */
  readonly boundaries?: readonly number[];
}

/** Upper bounds, in seconds, that the semantic conventions advise for durations of calls. */
export const RPC_DURATION_BOUNDARIES: readonly number[] = [
  0.005, 0.01, 0.025, 0.05, 0.075, 0.1, 0.25, 0.5, 0.75, 1, 2.5, 5, 7.5, 10,
];
const COMMIT_DURATION_BOUNDARIES = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5];
const COMMIT_SIZE_BOUNDARIES = [1, 2, 4, 8, 16, 32, 64, 128, 256, 512];

const HTTP_LABELS = [
  ATTR_HTTP_REQUEST_METHOD,
  ATTR_HTTP_ROUTE,
  ATTR_HTTP_RESPONSE_STATUS_CODE,
  ATTR_URL_SCHEME,
  ATTR_ERROR_TYPE,
];
const RPC_LABELS = [ATTR_RPC_SYSTEM_NAME, ATTR_RPC_METHOD, ATTR_RPC_STATUS_CODE, ATTR_ERROR_TYPE];

/** Every metric that leaves Callpass. docs/telemetry.md lists the same; a test compares them. */
export const METRICS = {
  rpcServerCallDuration: {
    ...{ name: METRIC_RPC_SERVER_CALL_DURATION, kind: 'histogram', unit: 's', labels: RPC_LABELS },
    description: 'Duration of served RPCs.',
    boundaries: RPC_DURATION_BOUNDARIES,
  },
  rpcClientCallDuration: {
    ...{ name: METRIC_RPC_CLIENT_CALL_DURATION, kind: 'histogram', unit: 's', labels: RPC_LABELS },
    description: 'Duration of made RPCs, each attempt by itself.',
    boundaries: RPC_DURATION_BOUNDARIES,
  },
  httpServerRequestDuration: {
    ...{ name: METRIC_HTTP_SERVER_REQUEST_DURATION, kind: 'histogram', unit: 's', labels: HTTP_LABELS },
    description: 'Duration of served HTTP requests.',
    boundaries: RPC_DURATION_BOUNDARIES,
  },
  issueDecisions: {
    ...{ name: 'callpass.issue.decisions', kind: 'counter', unit: '{decision}' },
    labels: [ATTR_DECISION, ATTR_REASON, ATTR_DESTINATION],
    description: 'Credentials asked for, by what was decided and why.',
  },
  validateVerdicts: {
    ...{ name: 'callpass.validate.verdicts', kind: 'counter', unit: '{verdict}', labels: [ATTR_VERDICT] },
    description: 'Tokens and sets of tokens that were verified, by verdict.',
  },
  limitTakes: {
    ...{ name: 'callpass.limit.takes', kind: 'counter', unit: '{take}' },
    labels: [ATTR_LIMIT_OUTCOME, ATTR_DESTINATION, ATTR_LIMIT],
    description: 'Requests that were counted against a limit, by outcome.',
  },
  limitHeadroom: {
    ...{ name: 'callpass.limit.headroom', kind: 'gauge', unit: '1', labels: [ATTR_DESTINATION, ATTR_LIMIT] },
    description:
      'Smallest share of a limit that any of its counters had left, over the last one to two minutes.',
  },
  ledgerCommitDuration: {
    ...{
      name: 'callpass.ledger.commit.duration',
      kind: 'histogram',
      unit: 's',
      labels: [ATTR_LEDGER_OUTCOME],
    },
    description: 'Duration of group commits of the ledger, disk sync included.',
    boundaries: COMMIT_DURATION_BOUNDARIES,
  },
  ledgerCommitEntries: {
    ...{ name: 'callpass.ledger.commit.entries', kind: 'histogram', unit: '{entry}', labels: [] },
    description: 'Entries that shared one commit.',
    boundaries: COMMIT_SIZE_BOUNDARIES,
  },
  ledgerQueued: {
    ...{ name: 'callpass.ledger.queued', kind: 'gauge', unit: '{entry}', labels: [] },
    description: 'Entries that wait for a commit or are in it.',
  },
  ledgerTurnedAway: {
    ...{
      name: 'callpass.ledger.turned_away',
      kind: 'counter',
      unit: '{entry}',
      labels: [ATTR_LEDGER_OUTCOME],
    },
    description: 'Entries that were refused without being tried: full, overdue or closed.',
  },
  configurationRevision: {
    ...{ name: 'callpass.configuration.revision', kind: 'gauge', unit: '{revision}', labels: [] },
    description: 'Revision of the configuration in force; 0 before the first.',
  },
  snapshotAge: {
    ...{ name: 'callpass.snapshot.age', kind: 'gauge', unit: 's', labels: [] },
    description: 'Time since the store last confirmed the state in force.',
  },
  keyAge: {
    ...{ name: 'callpass.key.age', kind: 'gauge', unit: 's', labels: [ATTR_REALM] },
    description: 'Time since the key that encrypts for a realm was activated.',
  },
  keyRotationDue: {
    ...{ name: 'callpass.key.rotation.due', kind: 'gauge', unit: 's', labels: [ATTR_REALM] },
    description:
      'Time until the key of a realm should be rotated (setting keys.rotateAfter); below 0 when overdue.',
  },
  certificateExpiry: {
    ...{ name: 'callpass.certificate.expiry', kind: 'gauge', unit: 's', labels: [ATTR_CERTIFICATE] },
    description: 'Time until a certificate that the process uses expires; below 0 when it has.',
  },
  requestsActive: {
    ...{ name: 'callpass.requests.active', kind: 'gauge', unit: '{request}', labels: [ATTR_LOAD_CLASS] },
    description: 'Requests under way.',
  },
  requestsShed: {
    ...{
      name: 'callpass.requests.shed',
      kind: 'counter',
      unit: '{request}',
      labels: [ATTR_LOAD_CLASS, ATTR_SHED_CAUSE],
    },
    description: 'Requests that were refused at once to keep the others fast.',
  },
  connectionsOpen: {
    ...{ name: 'callpass.connections.open', kind: 'gauge', unit: '{connection}', labels: [] },
    description: 'Connections that are open.',
  },
  connectionsTurnedAway: {
    ...{
      name: 'callpass.connections.turned_away',
      kind: 'counter',
      unit: '{connection}',
      labels: [ATTR_CONNECTION_CAUSE],
    },
    description: 'Connections that were refused, or cut off for what their peer did.',
  },
  clockSteps: {
    ...{ name: 'callpass.clock.steps', kind: 'counter', unit: '{step}', labels: [ATTR_CLOCK_DIRECTION] },
    description: 'Jumps of the wall clock against the monotonic clock.',
  },
  clockOffset: {
    ...{ name: 'callpass.clock.offset', kind: 'gauge', unit: 's', labels: [] },
    description:
      'How far the wall clock has moved against the monotonic clock since the clock was last trusted.',
  },
  clockTrusted: {
    ...{ name: 'callpass.clock.trusted', kind: 'gauge', unit: '', labels: [] },
    description: '1 while the clock can be trusted and credentials are issued by it.',
  },
  ready: {
    ...{ name: 'callpass.ready', kind: 'gauge', unit: '', labels: [] },
    description: '1 while the process issues credentials; 0 while it only validates, or drains.',
  },
  buildInfo: {
    ...{
      name: 'callpass.build.info',
      kind: 'gauge',
      unit: '',
      labels: [ATTR_BUILD_VERSION, ATTR_NODE_VERSION],
    },
    description: 'Always 1; the labels say what runs.',
  },
  eventLoopDelay: {
    ...{ name: 'nodejs.eventloop.delay.p99', kind: 'gauge', unit: 's', labels: [] },
    description: '99th percentile of the delay of the event loop over the last 10 s.',
  },
  eventLoopDelayMax: {
    ...{ name: 'nodejs.eventloop.delay.max', kind: 'gauge', unit: 's', labels: [] },
    description: 'Longest delay of the event loop over the last 10 s.',
  },
  eventLoopUtilization: {
    ...{ name: 'nodejs.eventloop.utilization', kind: 'gauge', unit: '1', labels: [] },
    description: 'Share of time that the event loop was busy over the last 10 s.',
  },
  memoryUsage: {
    ...{ name: 'process.memory.usage', kind: 'gauge', unit: 'By', labels: [] },
    description: 'Resident memory of the process.',
  },
  cpuTime: {
    ...{ name: 'process.cpu.time', kind: 'counter', unit: 's', labels: [ATTR_CPU_MODE] },
    description: 'CPU time of all threads of the process.',
  },
  uptime: {
    ...{ name: 'process.uptime', kind: 'gauge', unit: 's', labels: [] },
    description: 'Time since the process started.',
  },
} as const satisfies Readonly<Record<string, MetricRow>>;

/**
 * Name of a metric for Prometheus, by the rules that OpenTelemetry and Prometheus have agreed on (dots become underscores,
 * the unit is a suffix, counters end in `_total`), so that it is the same through a collector and from the port.
 */
export function prometheusName({ name, kind, unit }: Pick<MetricRow, 'name' | 'kind' | 'unit'>): string {
  return `${withUnit(name, unit, kind === 'gauge').replaceAll('.', '_')}${kind === 'counter' ? '_total' : ''}`;
}

const UNIT_SUFFIXES: Readonly<Record<string, string>> = { s: 'seconds', By: 'bytes' };

/** The name with its unit as suffix; `1` is a ratio only where the value is a gauge. */
export function withUnit(name: string, unit: string, isGauge: boolean): string {
  const suffix = unit === '1' ? (isGauge ? 'ratio' : undefined) : UNIT_SUFFIXES[unit];
  return suffix === undefined || name.endsWith(suffix) ? name : `${name}.${suffix}`;
}

/** Values of `callpass.shed.cause`. */
export const SHED_CAUSES = ['in_flight', 'deadline'] as const;
/** Why a request was refused at once. */
export type ShedCause = (typeof SHED_CAUSES)[number];

/**
 * Values of `callpass.connection.cause`. Refused: `total`, `peer`, too many are open, altogether or of one peer. Cut off:
 * `greeting`, it did not begin to speak HTTP/2; `pings`, `resets`, there were more than are allowed; `stuck`, it was ended
 * and its peer does not read what is left.
 */
export const CONNECTION_CAUSES = ['total', 'peer', 'greeting', 'pings', 'resets', 'stuck'] as const;
/** Why a connection was refused or cut off. */
export type ConnectionCause = (typeof CONNECTION_CAUSES)[number];

/** Values of `callpass.limit.outcome`: what became of a take. `near`: allowed, with a fifth of the limit or less left. */
export const LIMIT_OUTCOMES = ['allowed', 'near', 'refused', 'shadow', 'unavailable'] as const;
/** What became of a take from a limit. */
export type LimitTakeOutcome = (typeof LIMIT_OUTCOMES)[number];

/** Value of a label whose true value is not one of the bounded set. */
export const LABEL_OTHER = '_other';
/** Value of `callpass.reason` where something was granted. */
export const REASON_NONE = 'NONE';

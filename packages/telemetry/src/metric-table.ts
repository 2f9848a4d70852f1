import {
  ATTR_BUILD_VERSION,
  ATTR_CERTIFICATE,
  ATTR_CLOCK_DIRECTION,
  ATTR_CLOCK_REFERENCE,
  ATTR_CONNECTION_CAUSE,
  ATTR_CPU_MODE,
  ATTR_DECISION,
  ATTR_DEPENDENCY,
  ATTR_DESTINATION,
  ATTR_ERROR_TYPE,
  ATTR_HTTP_REQUEST_METHOD,
  ATTR_HTTP_RESPONSE_STATUS_CODE,
  ATTR_HTTP_ROUTE,
  ATTR_LEDGER_OUTCOME,
  ATTR_LIMIT,
  ATTR_LIMIT_LOSS,
  ATTR_LIMIT_OUTCOME,
  ATTR_LOAD_CLASS,
  ATTR_NODE_VERSION,
  ATTR_REALM,
  ATTR_REASON,
  ATTR_REQUEST_FAULT,
  ATTR_RPC_METHOD,
  ATTR_RPC_STATUS_CODE,
  ATTR_RPC_SYSTEM_NAME,
  ATTR_SHED_CAUSE,
  ATTR_SNAPSHOT_STALENESS,
  ATTR_TELEMETRY_LOSS,
  ATTR_TELEMETRY_SIGNAL,
  ATTR_URL_SCHEME,
  ATTR_VERDICT,
  METRIC_HTTP_SERVER_REQUEST_DURATION,
  METRIC_RPC_CLIENT_CALL_DURATION,
  METRIC_RPC_SERVER_CALL_DURATION,
} from './names.ts';

/** Kind of a metric. */
export type MetricKind = 'counter' | 'gauge' | 'histogram';

/** Definition of a metric, for all exporters. */
export interface MetricRow {
  readonly name: string;
  readonly kind: MetricKind;
  /** Unit in UCUM, as in OpenTelemetry. In braces: the counted thing. Empty: a gauge that is 0 or 1. */
  readonly unit: string;
  /** Labels of every point. Each has a closed or bounded set of values, never a subject, an address or a token. */
  readonly labels: readonly string[];
  readonly description: string;
  /** Upper bounds of the buckets of a histogram. */
  readonly boundaries?: readonly number[];
}

/** Upper bounds in seconds that the semantic conventions recommend for durations of calls. */
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

/** All metrics of Callpass. A test compares them with docs/telemetry.md. */
export const METRICS = {
  rpcServerCallDuration: {
    ...{ name: METRIC_RPC_SERVER_CALL_DURATION, kind: 'histogram', unit: 's', labels: RPC_LABELS },
    description: 'Duration of served RPCs.',
    boundaries: RPC_DURATION_BOUNDARIES,
  },
  rpcClientCallDuration: {
    ...{ name: METRIC_RPC_CLIENT_CALL_DURATION, kind: 'histogram', unit: 's', labels: RPC_LABELS },
    description: 'Duration of outgoing RPCs, for each attempt.',
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
    description: 'Requests for credentials, by decision and reason.',
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
  limitLosses: {
    ...{ name: 'callpass.limit.losses', kind: 'counter', unit: '{loss}', labels: [ATTR_LIMIT_LOSS] },
    description:
      'Losses of counters in Redis: emptied, counted by one instance; evicted, counted by each for each second.',
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
    description: 'Entries that were refused without an attempt: full, overdue or closed.',
  },
  configurationRevision: {
    ...{ name: 'callpass.configuration.revision', kind: 'gauge', unit: '{revision}', labels: [] },
    description: 'Revision of the configuration in force; 0 before the first.',
  },
  snapshotAge: {
    ...{ name: 'callpass.snapshot.age', kind: 'gauge', unit: 's', labels: [] },
    description: 'Time since the store last confirmed the state in force.',
  },
  snapshotStale: {
    ...{ name: 'callpass.snapshot.stale', kind: 'gauge', unit: '', labels: [ATTR_SNAPSHOT_STALENESS] },
    description: 'Cause for which nothing is issued by the state in force, 1 or 0.',
  },
  storeFree: {
    ...{ name: 'callpass.store.free', kind: 'gauge', unit: 'By', labels: [] },
    description: 'Bytes that are free on the disk of a store in a file.',
  },
  stateAltered: {
    ...{ name: 'callpass.state.altered', kind: 'gauge', unit: '', labels: [] },
    description: 'Whether somebody else has changed configuration, keys or freezes in the store.',
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
    description: 'Time until a certificate of the process expires; below 0 when it has expired.',
  },
  logLinesDropped: {
    ...{ name: 'callpass.log.lines.dropped', kind: 'counter', unit: '{line}', labels: [] },
    description: 'Log lines that were dropped because standard error did not take them.',
  },
  telemetryLost: {
    ...{ name: 'callpass.telemetry.lost', kind: 'counter', unit: '{item}' },
    labels: [ATTR_TELEMETRY_SIGNAL, ATTR_TELEMETRY_LOSS],
    description: 'Spans and log records that no collector has taken.',
  },
  telemetryExportsFailed: {
    ...{ name: 'callpass.telemetry.exports.failed', kind: 'counter', unit: '{export}' },
    labels: [ATTR_TELEMETRY_SIGNAL],
    description: 'Exports to a collector that failed after all their attempts.',
  },
  telemetryDelivered: {
    ...{ name: 'callpass.telemetry.delivered', kind: 'gauge', unit: '', labels: [ATTR_TELEMETRY_SIGNAL] },
    description: '1 while the collector of a signal can be reached and took the last export.',
  },
  requestsActive: {
    ...{ name: 'callpass.requests.active', kind: 'gauge', unit: '{request}', labels: [ATTR_LOAD_CLASS] },
    description: 'Requests in progress.',
  },
  requestsShed: {
    ...{
      name: 'callpass.requests.shed',
      kind: 'counter',
      unit: '{request}',
      labels: [ATTR_LOAD_CLASS, ATTR_SHED_CAUSE],
    },
    description: 'Requests that were refused at once because of overload.',
  },
  requestsRejected: {
    ...{
      name: 'callpass.requests.rejected',
      kind: 'counter',
      unit: '{request}',
      labels: [ATTR_REQUEST_FAULT],
    },
    description: 'Requests that were refused for their form before their client was known.',
  },
  connectionsOpen: {
    ...{ name: 'callpass.connections.open', kind: 'gauge', unit: '{connection}', labels: [] },
    description: 'Open connections.',
  },
  connectionsTurnedAway: {
    ...{
      name: 'callpass.connections.turned_away',
      kind: 'counter',
      unit: '{connection}',
      labels: [ATTR_CONNECTION_CAUSE],
    },
    description: 'Connections that were refused, or closed because of their peer.',
  },
  clockSteps: {
    ...{ name: 'callpass.clock.steps', kind: 'counter', unit: '{step}', labels: [ATTR_CLOCK_DIRECTION] },
    description: 'Jumps of the wall clock against the monotonic clock.',
  },
  clockOffset: {
    ...{ name: 'callpass.clock.offset', kind: 'gauge', unit: 's', labels: [] },
    description: 'Difference of the wall clock and the monotonic clock since the clock was last trusted.',
  },
  clockDifference: {
    ...{ name: 'callpass.clock.difference', kind: 'gauge', unit: 's', labels: [ATTR_CLOCK_REFERENCE] },
    description:
      'Wall clock minus the clock of the database, and minus the latest issue where that is later than now.',
  },
  clockTrusted: {
    ...{ name: 'callpass.clock.trusted', kind: 'gauge', unit: '', labels: [] },
    description: '1 while the clock is trusted and credentials are issued.',
  },
  ready: {
    ...{ name: 'callpass.ready', kind: 'gauge', unit: '', labels: [] },
    description: '1 while the process issues credentials; 0 while it only validates, or drains.',
  },
  dependencyUp: {
    ...{ name: 'callpass.dependency.up', kind: 'gauge', unit: '', labels: [ATTR_DEPENDENCY] },
    description: '1 while a thing that the server works with answers, 0 after three looks without an answer.',
  },
  buildInfo: {
    ...{
      name: 'callpass.build.info',
      kind: 'gauge',
      unit: '',
      labels: [ATTR_BUILD_VERSION, ATTR_NODE_VERSION],
    },
    description: 'Always 1; the labels are the versions that run.',
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
 * Converts the name of a metric for Prometheus by the rules of OpenTelemetry (dots become underscores, the unit is a suffix,
 * counters end in `_total`), so that it is the same through a collector and from the telemetry port.
 */
export function prometheusName({ name, kind, unit }: Pick<MetricRow, 'name' | 'kind' | 'unit'>): string {
  return `${withUnit(name, unit, kind === 'gauge').replaceAll('.', '_')}${kind === 'counter' ? '_total' : ''}`;
}

const UNIT_SUFFIXES: Readonly<Record<string, string>> = { s: 'seconds', By: 'bytes' };

/** Adds the unit to the name as a suffix; `1` is a ratio for gauges only. */
export function withUnit(name: string, unit: string, isGauge: boolean): string {
  const suffix = unit === '1' ? (isGauge ? 'ratio' : undefined) : UNIT_SUFFIXES[unit];
  return suffix === undefined || name.endsWith(suffix) ? name : `${name}.${suffix}`;
}

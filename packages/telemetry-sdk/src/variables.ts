import { isHostAndPort } from '@callpass/program';

/** Kinds of telemetry that OTLP carries. */
export const SIGNALS = ['traces', 'metrics', 'logs'] as const;
/** Kind of telemetry that OTLP carries. */
export type Signal = (typeof SIGNALS)[number];

/** Environment of a process. */
export type Environment = Readonly<Record<string, string | undefined>>;

/** Number that a variable has, or `otherwise` where it has none. Unknown values are out of the environment, see {@link withoutUnknown}. */
export function numberIn(environment: Environment, variable: string, otherwise: number): number {
  return Number(environment[variable]?.trim() || otherwise);
}

/** Values that a variable can have. */
interface ValueRule {
  /** Described for people: the values of a closed set, or the form of a value. */
  readonly allowed: string;
  readonly accepts: (value: string) => boolean;
  /** Set for a list, separated by commas: each member is looked at. */
  readonly isList?: true;
}

/** A variable whose value the programs do not know. */
export interface UnknownValue {
  readonly variable: string;
  readonly allowed: string;
}

const anyOf = (...values: readonly string[]): ValueRule => ({
  allowed: values.join(', '),
  accepts: (value) => values.includes(value),
});
const inAnyCase = (rule: ValueRule): ValueRule => ({
  ...rule,
  accepts: (value) => rule.accepts(value.toLowerCase()),
});
const listOf = (rule: ValueRule): ValueRule => ({ ...rule, isList: true });

const FLAG = inAnyCase(anyOf('true', 'false'));
const PROTOCOL = anyOf('http/protobuf', 'http/json', 'grpc');
const COMPRESSION = anyOf('gzip', 'none');
const MILLISECONDS: ValueRule = {
  allowed: 'a number of milliseconds above 0',
  accepts: (value) => Number(value) > 0 && Number.isFinite(Number(value)),
};
const COUNT: ValueRule = {
  allowed: 'a whole number above 0',
  accepts: (value) => Number.isSafeInteger(Number(value)) && Number(value) > 0,
};
const LIMIT: ValueRule = {
  allowed: 'a whole number, 0 or more',
  accepts: (value) => Number.isSafeInteger(Number(value)) && Number(value) >= 0,
};
const RATIO: ValueRule = {
  allowed: 'a number from 0 to 1',
  accepts: (value) => Number(value) >= 0 && Number(value) <= 1,
};
const ENDPOINT: ValueRule = {
  allowed: 'http://HOST:PORT or https://HOST:PORT',
  accepts: (value) => /^https?:$/.test(URL.parse(value)?.protocol ?? '') || isHostAndPort(value),
};

/** `OTEL_EXPORTER_OTLP_…` for all signals, and the variable of each. */
const forEachSignal = (name: string, rule: ValueRule) =>
  ['', 'TRACES_', 'METRICS_', 'LOGS_'].map(
    (signal) => [`OTEL_EXPORTER_OTLP_${signal}${name}`, rule] as const,
  );

const RULES: readonly (readonly [variable: string, ValueRule])[] = [
  ['OTEL_SDK_DISABLED', FLAG],
  ['OTEL_TRACES_EXPORTER', listOf(anyOf('otlp', 'none'))],
  ['OTEL_METRICS_EXPORTER', listOf(anyOf('otlp', 'prometheus', 'none'))],
  ['OTEL_LOGS_EXPORTER', listOf(anyOf('otlp', 'none'))],
  [
    'OTEL_TRACES_SAMPLER',
    anyOf(
      ...['always_on', 'always_off', 'traceidratio'],
      ...['parentbased_always_on', 'parentbased_always_off', 'parentbased_traceidratio'],
    ),
  ],
  ['OTEL_TRACES_SAMPLER_ARG', RATIO],
  ...['OTEL_', 'OTEL_SPAN_'].flatMap((prefix) => [
    [`${prefix}ATTRIBUTE_COUNT_LIMIT`, LIMIT] as const,
    [`${prefix}ATTRIBUTE_VALUE_LENGTH_LIMIT`, COUNT] as const,
  ]),
  ['OTEL_SPAN_EVENT_COUNT_LIMIT', LIMIT],
  ['OTEL_SPAN_LINK_COUNT_LIMIT', LIMIT],
  ['OTEL_PROPAGATORS', listOf(anyOf('tracecontext', 'baggage', 'b3', 'b3multi', 'none'))],
  ...forEachSignal('PROTOCOL', PROTOCOL),
  ...forEachSignal('ENDPOINT', ENDPOINT),
  ...forEachSignal('COMPRESSION', COMPRESSION),
  ...forEachSignal('INSECURE', FLAG),
  ...forEachSignal('TIMEOUT', MILLISECONDS),
  ['OTEL_EXPORTER_OTLP_METRICS_TEMPORALITY_PREFERENCE', inAnyCase(anyOf('cumulative', 'delta', 'lowmemory'))],
  ['OTEL_METRIC_EXPORT_INTERVAL', MILLISECONDS],
  ['OTEL_METRIC_EXPORT_TIMEOUT', MILLISECONDS],
  ...['BSP', 'BLRP'].flatMap((processor) => [
    [`OTEL_${processor}_SCHEDULE_DELAY`, MILLISECONDS] as const,
    [`OTEL_${processor}_EXPORT_TIMEOUT`, MILLISECONDS] as const,
    [`OTEL_${processor}_MAX_QUEUE_SIZE`, COUNT] as const,
    [`OTEL_${processor}_MAX_EXPORT_BATCH_SIZE`, COUNT] as const,
  ]),
  ['OTEL_LOG_LEVEL', inAnyCase(anyOf('none', 'error', 'warn', 'info', 'debug', 'verbose', 'all'))],
];

/**
 * Takes what the programs do not know out of the standard variables of OpenTelemetry: a variable as a whole, of a list the member. So
 * its default counts, here and in the SDK, which reads them too. The specification asks for that and a warning: telemetry that is
 * set up wrongly does not keep a program from serving.
 *
 * @returns a copy of the environment without them, and the variables that were changed, for the warning. Values are left out of it, since
 *   somebody may have put a secret into the wrong variable.
 */
export function withoutUnknown(environment: Environment): {
  readonly known: Environment;
  readonly unknown: readonly UnknownValue[];
} {
  const known: Record<string, string | undefined> = { ...environment };
  const unknown: UnknownValue[] = [];
  for (const [variable, { allowed, accepts, isList }] of RULES) {
    const text = environment[variable]?.trim() ?? '';
    if (text === '') continue;
    const members = isList ? text.split(',').map((member) => member.trim()) : [text];
    const accepted = members.filter(accepts);
    if (accepted.length === members.length) continue;
    unknown.push({ variable, allowed });
    if (accepted.length > 0) known[variable] = accepted.join(',');
    else delete known[variable];
  }
  return { known, unknown };
}

const unknownOfProcess: UnknownValue[] = [];

/**
 * Takes unknown values out of the environment of this process, see {@link withoutUnknown}, and gives those that it has had. The SDK
 * reads the environment itself.
 */
export function unknownValues(): readonly UnknownValue[] {
  const { known, unknown } = withoutUnknown(process.env);
  for (const { variable } of unknown) {
    const value = known[variable];
    if (value === undefined) delete process.env[variable];
    else process.env[variable] = value;
  }
  unknownOfProcess.push(...unknown);
  return unknownOfProcess;
}

/** Exports that the standard variables ask for. */
export interface AskedExports {
  /** No telemetry at all, whatever else asks for it. */
  readonly disabled: boolean;
  /** Signals that go to a collector over OTLP. */
  readonly otlp: readonly Signal[];
  /** Metrics are collected for Prometheus. */
  readonly prometheus: boolean;
}

/**
 * Reads which exports the standard variables ask for: traces and metrics where an exporter or an endpoint is named, logs where
 * `OTEL_LOGS_EXPORTER` names `otlp`, since they are on standard error already.
 *
 * @param environment without unknown values, see {@link withoutUnknown}.
 */
export function askedExports(environment: Environment): AskedExports {
  const value = (name: string) => environment[name]?.trim() ?? '';
  const disabled = value('OTEL_SDK_DISABLED').toLowerCase() === 'true';
  if (disabled) return { disabled, otlp: [], prometheus: false };
  const exportersOf = (signal: 'TRACES' | 'METRICS' | 'LOGS') => {
    const named = value(`OTEL_${signal}_EXPORTER`);
    if (named !== '') return named.split(',').map((exporter) => exporter.trim());
    const endpoints = [`OTEL_EXPORTER_OTLP_${signal}_ENDPOINT`, 'OTEL_EXPORTER_OTLP_ENDPOINT'];
    return signal !== 'LOGS' && endpoints.some((name) => value(name) !== '') ? ['otlp'] : [];
  };
  const goesToCollector = (signal: Signal) => {
    const exporters = exportersOf(signal.toUpperCase() as Uppercase<Signal>);
    return exporters.includes('otlp') && !exporters.includes('none');
  };
  const metrics = exportersOf('METRICS');
  return {
    disabled,
    otlp: SIGNALS.filter(goesToCollector),
    prometheus: metrics.includes('prometheus') && !metrics.includes('none'),
  };
}

/** Destination of a signal: its collector, and the protocol. */
export interface Destination {
  readonly protocol: 'http/protobuf' | 'http/json' | 'grpc';
  /** Host of the collector, as a name or an address. */
  readonly host: string;
  readonly port: number;
  /** Protocol, host, port and path, for messages. Never holds what else the URL has, such as a password. */
  readonly place: string;
}

/** Reads where a signal goes, as the SDK does. */
export function destinationOf(signal: Signal, environment: Environment): Destination {
  const value = (name: string) => environment[`OTEL_EXPORTER_OTLP_${name}`]?.trim() || undefined;
  const own = signal.toUpperCase();
  const protocol = (value(`${own}_PROTOCOL`) ??
    value('PROTOCOL') ??
    'http/protobuf') as Destination['protocol'];
  const isGrpc = protocol === 'grpc';
  const endpoint =
    value(`${own}_ENDPOINT`) ?? value('ENDPOINT') ?? `http://localhost:${isGrpc ? 4317 : 4318}`;
  const url = new URL(/^https?:/.test(endpoint) ? endpoint : `http://${endpoint}`);
  const path = isGrpc
    ? ''
    : value(`${own}_ENDPOINT`) === undefined
      ? `${url.pathname.replace(/\/$/, '')}/v1/${signal}`
      : url.pathname;
  const port = Number(url.port || (url.protocol === 'https:' ? 443 : 80));
  const host = url.hostname.replace(/^\[|\]$/g, '');
  return { protocol, host, port, place: `${protocol} to ${url.protocol}//${url.hostname}:${port}${path}` };
}

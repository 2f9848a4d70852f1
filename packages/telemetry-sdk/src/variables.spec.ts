import { describe, expect, it } from '@jest/globals';
import { askedExports, destinationOf, withoutUnknown } from './variables.ts';

describe('withoutUnknown', () => {
  it.each([
    ['OTEL_EXPORTER_OTLP_PROTOCOL', 'http', 'http/protobuf, http/json, grpc'],
    ['OTEL_EXPORTER_OTLP_LOGS_PROTOCOL', 'GRPC', 'http/protobuf, http/json, grpc'],
    ['OTEL_TRACES_EXPORTER', 'zipkin', 'otlp, none'],
    ['OTEL_METRICS_EXPORTER', 'statsd', 'otlp, prometheus, none'],
    ['OTEL_LOGS_EXPORTER', 'syslog', 'otlp, none'],
    ['OTEL_TRACES_SAMPLER', 'sometimes', expect.stringContaining('parentbased_traceidratio')],
    ['OTEL_TRACES_SAMPLER_ARG', '2', 'a number from 0 to 1'],
    ['OTEL_PROPAGATORS', 'xray', expect.stringContaining('tracecontext')],
    ['OTEL_EXPORTER_OTLP_COMPRESSION', 'zstd', 'gzip, none'],
    ['OTEL_EXPORTER_OTLP_TRACES_ENDPOINT', 'collector', expect.stringContaining('http://HOST:PORT')],
    ['OTEL_EXPORTER_OTLP_TIMEOUT', '10s', expect.stringContaining('milliseconds')],
    ['OTEL_EXPORTER_OTLP_METRICS_TEMPORALITY_PREFERENCE', 'both', 'cumulative, delta, lowmemory'],
    ['OTEL_SDK_DISABLED', 'yes', 'true, false'],
    ['OTEL_BSP_MAX_QUEUE_SIZE', '1e9.5', 'a whole number above 0'],
    ['OTEL_SPAN_LINK_COUNT_LIMIT', '-1', 'a whole number, 0 or more'],
    ['OTEL_LOG_LEVEL', 'loud', expect.stringContaining('verbose')],
  ])('%s=%s counts as not set, and the values that it may have are named', (variable, value, allowed) => {
    const { known, unknown } = withoutUnknown({ [variable]: value, PATH: 'x' });
    expect(known).toEqual({ PATH: 'x' });
    expect(unknown).toEqual([{ variable, allowed }]);
    expect(JSON.stringify(unknown)).not.toContain(`"${value}"`);
  });

  it.each([
    ['OTEL_EXPORTER_OTLP_PROTOCOL', ' http/json '],
    ['OTEL_EXPORTER_OTLP_ENDPOINT', 'https://u:p@collector:4318/path'],
    ['OTEL_EXPORTER_OTLP_ENDPOINT', 'collector:4317'],
    ['OTEL_EXPORTER_OTLP_METRICS_TEMPORALITY_PREFERENCE', 'Delta'],
    ['OTEL_SDK_DISABLED', 'TRUE'],
    ['OTEL_PROPAGATORS', 'tracecontext,b3'],
    ['OTEL_TRACES_EXPORTER', ''],
  ])('%s=%s stays as it is', (variable, value) => {
    expect(withoutUnknown({ [variable]: value })).toEqual({ known: { [variable]: value }, unknown: [] });
  });

  it('of a list only the unknown members are ignored', () => {
    const { known, unknown } = withoutUnknown({ OTEL_METRICS_EXPORTER: 'prometheus, statsd,otlp' });
    expect(known).toEqual({ OTEL_METRICS_EXPORTER: 'prometheus,otlp' });
    expect(unknown).toHaveLength(1);
  });
});

describe('askedExports', () => {
  const ENDPOINT = { OTEL_EXPORTER_OTLP_ENDPOINT: 'http://collector:4318' };
  it.each([
    [{}, [], false],
    [ENDPOINT, ['traces', 'metrics'], false],
    [{ ...ENDPOINT, OTEL_LOGS_EXPORTER: 'otlp' }, ['traces', 'metrics', 'logs'], false],
    [{ ...ENDPOINT, OTEL_METRICS_EXPORTER: 'otlp,prometheus' }, ['traces', 'metrics'], true],
    [{ ...ENDPOINT, OTEL_METRICS_EXPORTER: 'prometheus', OTEL_TRACES_EXPORTER: 'none' }, [], true],
    [{ OTEL_TRACES_EXPORTER: 'otlp' }, ['traces'], false],
    [{ OTEL_EXPORTER_OTLP_METRICS_ENDPOINT: 'http://m:1/x' }, ['metrics'], false],
    [{ ...ENDPOINT, OTEL_METRICS_EXPORTER: 'prometheus', OTEL_SDK_DISABLED: 'true' }, [], false],
  ])('%j asks for %j, Prometheus %s', (environment, otlp, prometheus) => {
    expect(askedExports(environment)).toMatchObject({ otlp, prometheus });
  });
});

it.each([
  ['traces', {}, 'http/protobuf to http://localhost:4318/v1/traces'],
  ['logs', { PROTOCOL: 'grpc' }, 'grpc to http://localhost:4317'],
  [
    'metrics',
    { ENDPOINT: 'https://u:s3cret@c.example/p/' },
    'http/protobuf to https://c.example:443/p/v1/metrics',
  ],
  [
    'traces',
    { TRACES_ENDPOINT: 'http://c:1/own', TRACES_PROTOCOL: 'http/json' },
    'http/json to http://c:1/own',
  ],
  ['traces', { ENDPOINT: 'c.example:4317', PROTOCOL: 'grpc' }, 'grpc to http://c.example:4317'],
] as const)('%s with %j go by %s, without a password', (signal, given, place) => {
  const environment = Object.fromEntries(
    Object.entries(given).map(([name, value]) => [`OTEL_EXPORTER_OTLP_${name}`, value]),
  );
  expect(destinationOf(signal, environment).place).toBe(place);
});

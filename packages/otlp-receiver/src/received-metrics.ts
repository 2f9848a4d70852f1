import {
  readAttributes,
  readInteger,
  readNumber,
  readNumbers,
  readObject,
  readObjects,
  readText,
  type Attributes,
  type JsonObject,
} from './json-reader.ts';
import { flatten, type Origin } from './received-scope.ts';

const TYPES = ['sum', 'gauge', 'histogram', 'exponentialHistogram', 'summary'] as const;
const TEMPORALITIES = ['UNSPECIFIED', 'DELTA', 'CUMULATIVE'] as const;

/** Type of a metric, as OTLP names it; `unknown` for one that holds no data of a known type. */
export type MetricType = (typeof TYPES)[number] | 'unknown';

/** A metric as it arrived last. */
export interface ReceivedMetric extends Origin {
  readonly name: string;
  readonly description: string;
  readonly unit: string;
  readonly type: MetricType;
  /** Whether points count from the start of the process or since the last export. */
  readonly temporality: (typeof TEMPORALITIES)[number];
  readonly points: readonly ReceivedPoint[];
}

/** One time series of a metric. What its type does not have is `undefined`. */
export interface ReceivedPoint {
  readonly attributes: Attributes;
  /** Nanoseconds since 1970. */
  readonly startTimeUnixNano: bigint;
  /** Nanoseconds since 1970. */
  readonly timeUnixNano: bigint;
  /** Of a sum or gauge. */
  readonly value: number | undefined;
  /** Of a histogram or summary: how many measurements. */
  readonly count: number | undefined;
  /** Of a histogram or summary: their total, in the metric's unit. */
  readonly sum: number | undefined;
  /** Of a histogram: the smallest. */
  readonly min: number | undefined;
  /** Of a histogram: the largest. */
  readonly max: number | undefined;
  /** Of a histogram with explicit buckets: one more than there are bounds. */
  readonly bucketCounts: readonly number[];
  /** Of a histogram with explicit buckets: upper bounds. */
  readonly explicitBounds: readonly number[];
}

/** The metrics of an `ExportMetricsServiceRequest`, in order. */
export function readMetrics(request: JsonObject): ReceivedMetric[] {
  const nesting = { resources: 'resourceMetrics', scopes: 'scopeMetrics', items: 'metrics' };
  return Array.from(flatten(request, nesting), ([metric, origin]) => readMetric(metric, origin));
}

function readMetric(metric: JsonObject, origin: Origin): ReceivedMetric {
  const type = TYPES.find((name) => metric[name] !== undefined) ?? 'unknown';
  const data = readObject(metric[type]);
  return {
    name: readText(metric['name']),
    description: readText(metric['description']),
    unit: readText(metric['unit']),
    type,
    temporality: TEMPORALITIES[readNumber(data['aggregationTemporality']) ?? 0] ?? 'UNSPECIFIED',
    points: readObjects(data['dataPoints']).map(readPoint),
    ...origin,
  };
}

function readPoint(point: JsonObject): ReceivedPoint {
  return {
    attributes: readAttributes(point['attributes']),
    startTimeUnixNano: readInteger(point['startTimeUnixNano']),
    timeUnixNano: readInteger(point['timeUnixNano']),
    value: readNumber(point['asDouble']) ?? readNumber(point['asInt']),
    count: readNumber(point['count']),
    sum: readNumber(point['sum']),
    min: readNumber(point['min']),
    max: readNumber(point['max']),
    bucketCounts: readNumbers(point['bucketCounts']),
    explicitBounds: readNumbers(point['explicitBounds']),
  };
}

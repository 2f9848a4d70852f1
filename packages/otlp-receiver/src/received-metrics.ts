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

/** Type of a metric, named as in OTLP; `unknown` if it has no data of a known type. */
export type MetricType = (typeof TYPES)[number] | 'unknown';

/** Metric in its last export. */
export interface ReceivedMetric extends Origin {
  readonly name: string;
  readonly description: string;
  readonly unit: string;
  readonly type: MetricType;
  /** Temporality: points count from the start of the process, or since the last export. */
  readonly temporality: (typeof TEMPORALITIES)[number];
  readonly points: readonly ReceivedPoint[];
}

/** Point of one time series. Properties of other types of metric are `undefined`. */
export interface ReceivedPoint {
  readonly attributes: Attributes;
  /** Nanoseconds since 1970. */
  readonly startTimeUnixNano: bigint;
  /** Nanoseconds since 1970. */
  readonly timeUnixNano: bigint;
  /** Value of a sum or gauge. */
  readonly value: number | undefined;
  /** Number of measurements of a histogram or summary. */
  readonly count: number | undefined;
  /** Sum of measurements of a histogram or summary, in the metric's unit. */
  readonly sum: number | undefined;
  /** Smallest measurement of a histogram. */
  readonly min: number | undefined;
  /** Largest measurement of a histogram. */
  readonly max: number | undefined;
  /** Counts of a histogram with explicit buckets, one more than bounds. */
  readonly bucketCounts: readonly number[];
  /** Upper bounds of a histogram with explicit buckets. */
  readonly explicitBounds: readonly number[];
}

/** Reads the metrics of an `ExportMetricsServiceRequest`, in order. */
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

import { readMetrics, type ReceivedMetric } from './received-metrics.ts';
import { readSpans, type ReceivedSpan } from './received-spans.ts';
import type { JsonObject } from './json-reader.ts';

const MAX_METRICS = 1_000;
const MAX_RAW_CHARACTERS = 32 * 1024 * 1024;

/** The signals of OTLP that are received. */
export type Signal = 'traces' | 'metrics';

/** Bounded store of received telemetry. When it is full, the oldest items are dropped. */
export interface ReceivedStore {
  readonly add: (signal: Signal, request: JsonObject, body: string) => void;
  readonly spans: () => ReceivedSpan[];
  readonly metrics: () => ReceivedMetric[];
  readonly raw: () => string[];
  readonly dropped: () => number;
  readonly clear: () => void;
}

/** Creates a store for at most `maxSpans` spans. */
export function createReceivedStore(maxSpans: number): ReceivedStore {
  let spans: ReceivedSpan[] = [];
  let bodies: string[] = [];
  let bodyCharacters = 0;
  let dropped = 0;
  const metrics = new Map<string, ReceivedMetric>();

  const trim = (list: unknown[], excess: number): void => {
    if (excess <= 0) return;
    list.splice(0, excess);
    dropped += excess;
  };
  const keepMetric = (metric: ReceivedMetric): void => {
    const key = JSON.stringify([metric.name, metric.scope, metric.resource], bigintAsText);
    // Deleted first, so that the map stays in the order of arrival.
    metrics.delete(key);
    metrics.set(key, metric);
    const [oldest] = metrics.keys();
    if (metrics.size <= MAX_METRICS || oldest === undefined) return;
    metrics.delete(oldest);
    dropped += 1;
  };
  const keepBody = (body: string): void => {
    bodies.push(body);
    bodyCharacters += body.length;
    while (bodyCharacters > MAX_RAW_CHARACTERS) {
      bodyCharacters -= bodies.shift()?.length ?? 0;
      dropped += 1;
    }
  };

  return {
    add(signal, request, body) {
      keepBody(body);
      if (signal === 'traces') for (const span of readSpans(request)) spans.push(span);
      else readMetrics(request).forEach(keepMetric);
      trim(spans, spans.length - maxSpans);
    },
    spans: () => [...spans],
    metrics: () => [...metrics.values()],
    raw: () => [...bodies],
    dropped: () => dropped,
    clear() {
      spans = [];
      bodies = [];
      bodyCharacters = 0;
      dropped = 0;
      metrics.clear();
    },
  };
}

function bigintAsText(_key: string, value: unknown): unknown {
  return typeof value === 'bigint' ? value.toString() : value;
}

import { createInstruments } from '@callpass/telemetry';
import { metrics, trace } from '@opentelemetry/api';
import {
  defaultResource,
  detectResources,
  envDetector,
  resourceFromAttributes,
  serviceInstanceIdDetector,
  type Resource,
} from '@opentelemetry/resources';
import type { LogRecordProcessor } from '@opentelemetry/sdk-logs';
import { NodeSDK } from '@opentelemetry/sdk-node';
import type { SpanProcessor } from '@opentelemetry/sdk-trace';
import { createRecordProcessor, createSpanProcessor } from './delivery/batches.ts';
import type { Delivery, DeliveryLog } from './delivery/delivery.ts';
import { createExporter } from './delivery/exporters.ts';
import { hasProxy, watchCollectors } from './delivery/watch-collectors.ts';
import { followDiag } from './diag-log.ts';
import { sendLogRecords } from './log-records.ts';
import { createPushReader } from './metric-readers.ts';
import { Histograms, takesOwnHistograms, withHistograms } from './metrics/histograms.ts';
import { createSampler } from './sampler.ts';
import { ScrapeReader } from './scrape.ts';
import type { Telemetry, TelemetryProgram } from './telemetry.ts';
import { traceIds } from './trace-ids.ts';
import { spanLimitsIn } from './tracing/span-limits.ts';
import { createTracerProvider } from './tracing/tracer-provider.ts';
import type { Destination, Signal } from './variables.ts';

/** Time limit of the last export, so that an unavailable collector does not keep a program from ending. */
const FLUSH_LIMIT_MS = 2000;

const lengthOf = (items: readonly unknown[]) => items.length;

/** Exports of a process, and who counts what becomes of them. */
export interface SdkParts {
  readonly program: TelemetryProgram;
  /** Metrics are collected for Prometheus. */
  readonly scraped: boolean;
  /** Signals that go to a collector. */
  readonly destinations: readonly (Destination & { readonly signal: Signal })[];
  readonly delivery: Delivery;
}

/** Starts the SDK with these exports; see `startTelemetry`. */
export async function startSdk(parts: SdkParts): Promise<Telemetry> {
  const { program, destinations, delivery } = parts;
  const histograms = new Histograms();
  const scrape = parts.scraped ? new ScrapeReader([histograms]) : undefined;
  const resource = resourceOf(program);
  const push = goes('metrics', parts)
    ? delivery.count('metrics', await createExporter('metrics'), () => 1)
    : undefined;
  // Processors and readers are all given, so that the SDK makes none by itself, whose losses nobody would count.
  const sdk = new NodeSDK({
    resource,
    autoDetectResources: false,
    metricReaders: [...(push ? [createPushReader(push, [histograms])] : []), ...(scrape ? [scrape] : [])],
    spanProcessors: [],
    logRecordProcessors: await recordProcessors(parts),
    instrumentations: [],
  });
  sdk.start();
  const isMeasured = push !== undefined || scrape !== undefined;
  if (isMeasured && (push === undefined || takesOwnHistograms(push))) useHistograms(histograms);
  const spans = goes('traces', parts) ? await startTracing(resource, delivery) : undefined;
  delivery.measure(createInstruments());
  if (goes('logs', parts)) sendLogRecords();
  const stopWatching = watchCollectors(
    destinations.filter(({ protocol }) => !(protocol === 'grpc' && hasProxy(process.env))),
    delivery,
  );
  let log: DeliveryLog | undefined;
  return {
    metricsText: scrape && (() => scrape.text()),
    follow(given) {
      log = given;
      followDiag(given);
      delivery.follow(given);
    },
    async stop() {
      stopWatching();
      const end = await settledWithin(FLUSH_LIMIT_MS, Promise.all([spans?.shutdown(), sdk.shutdown()]));
      delivery.stop();
      // Another start in this process sets its own.
      metrics.disable();
      if (end !== 'done' && destinations.length > 0)
        log?.warn({ limitMs: FLUSH_LIMIT_MS }, 'the last telemetry was not delivered in time and is lost');
    },
  };
}

/** Tests whether a signal goes to a collector. */
const goes = (signal: Signal, { destinations }: SdkParts) =>
  destinations.some((destination) => destination.signal === signal);

function resourceOf({ name, version, commit }: TelemetryProgram): Resource {
  const own = resourceFromAttributes({
    'service.name': name,
    'service.version': version,
    ...(commit && { 'vcs.ref.head.revision': commit }),
  });
  // Not the detectors of the environment: that of the process sends the command line, which may contain a token or a subject.
  const detected = detectResources({ detectors: [serviceInstanceIdDetector, envDetector] });
  return defaultResource().merge(own).merge(detected);
}

/** Has spans recorded from now on, and returns what sends them. */
async function startTracing(resource: Resource, delivery: Delivery): Promise<SpanProcessor> {
  const exporter = delivery.count('traces', await createExporter('traces'), lengthOf);
  const processor = createSpanProcessor(exporter, delivery);
  trace.setGlobalTracerProvider(
    createTracerProvider({
      ...{ resource, sampler: createSampler(), ids: traceIds, limits: spanLimitsIn(process.env) },
      onEnd: (span) => processor.onEnd(span),
    }),
  );
  return processor;
}

/** Has histograms that are made from now on recorded by ours. */
function useHistograms(histograms: Histograms): void {
  const provider = metrics.getMeterProvider();
  metrics.disable();
  metrics.setGlobalMeterProvider(withHistograms(provider, histograms));
}

async function recordProcessors(parts: SdkParts): Promise<LogRecordProcessor[]> {
  if (!goes('logs', parts)) return [];
  const exporter = parts.delivery.count('logs', await createExporter('logs'), lengthOf);
  return [createRecordProcessor(exporter, parts.delivery)];
}

async function settledWithin(
  limitMs: number,
  work: Promise<unknown>,
): Promise<'done' | 'failed' | 'overdue'> {
  const limit = Promise.withResolvers<'overdue'>();
  const timer = setTimeout(() => limit.resolve('overdue'), limitMs);
  const end = await Promise.race([
    work.then(
      () => 'done' as const,
      () => 'failed' as const,
    ),
    limit.promise,
  ]);
  clearTimeout(timer);
  return end;
}

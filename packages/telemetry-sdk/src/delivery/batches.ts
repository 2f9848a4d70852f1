import { TraceFlags, type Context } from '@opentelemetry/api';
import {
  BatchLogRecordProcessor,
  type LogRecordExporter,
  type LogRecordProcessor,
  type ReadWriteLogRecord,
} from '@opentelemetry/sdk-logs';
import {
  BatchSpanProcessor,
  type ReadableSpan,
  type Span,
  type SpanExporter,
  type SpanProcessor,
} from '@opentelemetry/sdk-trace';
import { numberIn, type Environment } from '../variables.ts';
import type { Delivery } from './delivery.ts';
import { wrapExport } from './wrap-export.ts';

/**
 * Batch limits for a server under load that records every trace. With the SDK's defaults, 2,048 spans and 512 a batch, one
 * span in eight would be lost. The standard variables override them.
 */
const SPANS = {
  maxQueueSize: 16_384,
  maxExportBatchSize: 2048,
  scheduledDelayMillis: 5000,
  exportTimeoutMillis: 30_000,
} as const;
/** The SDK's own limits for log records. */
const RECORDS = {
  maxQueueSize: 2048,
  maxExportBatchSize: 512,
  scheduledDelayMillis: 1000,
  exportTimeoutMillis: 30_000,
} as const;

/** Creates a processor that sends spans in batches, and counts those that find no place in its queue. */
export function createSpanProcessor(
  exporter: SpanExporter,
  delivery: Delivery,
  environment: Environment = process.env,
): SpanProcessor {
  const limits = limitsIn(environment, 'BSP', SPANS);
  const queue = new QueueCounter(limits.maxQueueSize, () => delivery.dropped('traces'));
  const batches = new BatchSpanProcessor({ ...limits, exporter: queue.leaveBy(exporter) });
  return {
    onStart: (span: Span, parent: Context) => batches.onStart(span, parent),
    onEnd(span: ReadableSpan) {
      if ((span.spanContext().traceFlags & TraceFlags.SAMPLED) !== 0 && queue.enter()) batches.onEnd(span);
    },
    forceFlush: () => batches.forceFlush(),
    shutdown: () => batches.shutdown(),
  };
}

/** Creates a processor that sends log records in batches, and counts those that find no place in its queue. */
export function createRecordProcessor(
  exporter: LogRecordExporter,
  delivery: Delivery,
  environment: Environment = process.env,
): LogRecordProcessor {
  const limits = limitsIn(environment, 'BLRP', RECORDS);
  const queue = new QueueCounter(limits.maxQueueSize, () => delivery.dropped('logs'));
  const batches = new BatchLogRecordProcessor({ ...limits, exporter: queue.leaveBy(exporter) });
  return {
    onEmit(record: ReadWriteLogRecord) {
      if (queue.enter()) batches.onEmit(record);
    },
    forceFlush: () => batches.forceFlush(),
    shutdown: () => batches.shutdown(),
  };
}

/**
 * Count of the items that wait in a batch processor of the SDK, which drops what is above its limit and says so in no way that can
 * be read. With the same limit here the processor never drops one.
 */
class QueueCounter {
  readonly #max: number;
  readonly #onDropped: () => void;
  #waiting = 0;

  constructor(max: number, onDropped: () => void) {
    this.#max = max;
    this.#onDropped = onDropped;
  }

  /** Gives whether an item finds a place. */
  enter(): boolean {
    if (this.#waiting >= this.#max) {
      this.#onDropped();
      return false;
    }
    this.#waiting++;
    return true;
  }

  /** Has the items of each export leave. */
  leaveBy<E extends object>(exporter: E): E {
    return wrapExport(exporter, (send) => (items, done) => {
      this.#waiting -= (items as readonly unknown[]).length;
      send(items, done);
    });
  }
}

type Limits = Readonly<Record<keyof typeof SPANS, number>>;

function limitsIn(environment: Environment, processor: 'BSP' | 'BLRP', defaults: Limits): Limits {
  const given = (name: string, otherwise: number) =>
    numberIn(environment, `OTEL_${processor}_${name}`, otherwise);
  const maxQueueSize = given('MAX_QUEUE_SIZE', defaults.maxQueueSize);
  return {
    maxQueueSize,
    maxExportBatchSize: Math.min(given('MAX_EXPORT_BATCH_SIZE', defaults.maxExportBatchSize), maxQueueSize),
    scheduledDelayMillis: given('SCHEDULE_DELAY', defaults.scheduledDelayMillis),
    exportTimeoutMillis: given('EXPORT_TIMEOUT', defaults.exportTimeoutMillis),
  };
}

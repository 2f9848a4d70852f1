import {
  SpanStatusCode,
  trace,
  metrics,
  type Histogram,
  type MeterProvider,
  type Span,
  type SpanKind,
  type Tracer,
  type TracerProvider,
} from '@opentelemetry/api';
import { createHistogram } from './instruments.ts';
import { createMethodTable, type MethodRow } from './method-table.ts';
import type { MetricRow } from './metric-table.ts';
import { ATTR_ERROR_TYPE, ATTR_RPC_STATUS_CODE, SCOPE_NAME } from './names.ts';

/** Options that server and client telemetry share. */
export interface CallTelemetryOptions {
  /** Provider for spans. Default: the global provider. */
  readonly tracerProvider?: TracerProvider | undefined;
  /** Provider for metrics. Default: the global provider at the time of the call, so start the SDK first. */
  readonly meterProvider?: MeterProvider | undefined;
  /**
   * Selects the status codes (0 to 16) that mark the span as failed and set `error.type`. Called once for each method and
   * code. Default: the semantic conventions of the side.
   */
  readonly isFault?: ((code: number) => boolean) | undefined;
  /** Value of `server.address` on spans. */
  readonly serverAddress?: string | undefined;
  /** Value of `server.port` on spans. */
  readonly serverPort?: number | undefined;
}

/** Instruments of one side of a call. */
export interface CallTelemetry {
  readonly tracer: Tracer;
  /** Looks up the row of a method; see {@link createMethodTable}. */
  readonly rowOf: (methodName: string) => MethodRow;
  /** Records the end of a call: sets the status, adds a point to the histogram and ends the span. */
  readonly finish: (row: MethodRow, call: FinishedCall) => void;
}

/** Call that has ended. */
export interface FinishedCall {
  readonly span: Span;
  /** gRPC status code, 0 to 16. */
  readonly code: number;
  /** Start of the call, on the clock of `performance.now()`. */
  readonly startedAtMs: number;
}

/** Properties in which client and server differ. */
export interface CallSide {
  readonly kind: SpanKind;
  readonly isFault: (code: number) => boolean;
  readonly metric: MetricRow;
}

/** Creates tracer, histogram and method table for one side. */
export function createCallTelemetry(side: CallSide, options: CallTelemetryOptions): CallTelemetry {
  const tracer = (options.tracerProvider ?? trace).getTracer(SCOPE_NAME);
  const meter = (options.meterProvider ?? metrics).getMeter(SCOPE_NAME);
  const duration = createHistogram(meter, side.metric);
  const rowOf = createMethodTable({
    kind: side.kind,
    isFault: options.isFault ?? side.isFault,
    serverAddress: options.serverAddress,
    serverPort: options.serverPort,
  });
  return { tracer, rowOf, finish: (row, call) => finish(duration, row, call) };
}

function finish(duration: Histogram, row: MethodRow, call: FinishedCall): void {
  const outcome = row.outcomes[call.code];
  if (outcome === undefined) return;
  duration.record((performance.now() - call.startedAtMs) / 1000, outcome.labels);
  const { span } = call;
  if (!span.isRecording()) return;
  span.setAttribute(ATTR_RPC_STATUS_CODE, outcome.statusName);
  if (outcome.isFault) {
    span.setAttribute(ATTR_ERROR_TYPE, outcome.statusName);
    span.setStatus({ code: SpanStatusCode.ERROR });
  }
  span.end();
}

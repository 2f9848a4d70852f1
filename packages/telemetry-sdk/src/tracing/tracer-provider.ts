import {
  context,
  INVALID_SPAN_CONTEXT,
  isSpanContextValid,
  SpanKind,
  trace,
  TraceFlags,
  type Context,
  type Span,
  type SpanContext,
  type SpanOptions,
  type Tracer,
  type TracerProvider,
} from '@opentelemetry/api';
import { isTracingSuppressed } from '@opentelemetry/core';
import {
  SamplingDecision,
  type IdGenerator,
  type ReadableSpan,
  type Sampler,
} from '@opentelemetry/sdk-trace';
import { RecordedSpan, type SpanOrigin } from './recorded-span.ts';
import type { SpanLimits } from './span-limits.ts';

/** Parts of a tracer provider. */
export interface TracerParts {
  readonly resource: ReadableSpan['resource'];
  /** Asked for the first span of a trace in this process; the spans below it follow it. */
  readonly sampler: Sampler;
  readonly ids: IdGenerator;
  readonly limits: SpanLimits;
  /** Takes each recorded span when it has ended. */
  readonly onEnd: (span: ReadableSpan) => void;
}

/** Creates a provider of tracers whose spans are {@link RecordedSpan}, or record nothing where they are not sampled. */
export function createTracerProvider(parts: TracerParts): TracerProvider {
  const tracers = new Map<string, Tracer>();
  return {
    getTracer(name, version, options) {
      // Asked for at each span.
      const key =
        version === undefined && options === undefined
          ? name
          : [name, version, options?.schemaUrl].join('\0');
      let tracer = tracers.get(key);
      if (tracer === undefined) {
        const { schemaUrl } = options ?? {};
        tracer = createTracer(parts, { name, ...(version && { version }), ...(schemaUrl && { schemaUrl }) });
        tracers.set(key, tracer);
      }
      return tracer;
    },
  };
}

function createTracer(parts: TracerParts, instrumentationScope: SpanOrigin['instrumentationScope']): Tracer {
  const { resource, limits, onEnd, ids, sampler } = parts;
  const origin: SpanOrigin = { resource, instrumentationScope, limits, onEnd };

  function startSpan(name: string, options: SpanOptions = {}, given: Context = context.active()): Span {
    const parentContext = options.root ? trace.deleteSpan(given) : given;
    if (isTracingSuppressed(parentContext)) return trace.wrapSpanContext(INVALID_SPAN_CONTEXT);
    const parent = trace.getSpan(parentContext);
    if (parent instanceof RecordedSpan) {
      const { clockOffsetMs } = parent;
      const above = parent.spanContext();
      const own = { ...above, spanId: ids.generateSpanId() };
      return new RecordedSpan(origin, name, options, { own, parent: above, clockOffsetMs });
    }
    const remote = validContextOf(parent);
    const traceId = remote?.traceId ?? ids.generateTraceId();
    const { kind = SpanKind.INTERNAL, attributes = {}, links = [] } = options;
    const sampled = sampler.shouldSample(parentContext, traceId, name, kind, attributes, links);
    const traceState = sampled.traceState ?? remote?.traceState;
    const isRecorded = sampled.decision === SamplingDecision.RECORD_AND_SAMPLED;
    const traceFlags = isRecorded ? TraceFlags.SAMPLED : TraceFlags.NONE;
    const own = { traceId, spanId: ids.generateSpanId(), traceFlags, ...(traceState && { traceState }) };
    if (!isRecorded) return trace.wrapSpanContext(own);
    const clockOffsetMs = Math.round(Date.now() - performance.now());
    return new RecordedSpan(origin, name, options, { own, parent: remote, clockOffsetMs });
  }

  function startActiveSpan(name: string, ...given: readonly unknown[]): unknown {
    const work = given.at(-1) as (span: Span) => unknown;
    const [options, parent = context.active()] = given.slice(0, -1) as [SpanOptions?, Context?];
    const span = startSpan(name, options, parent);
    return context.with(trace.setSpan(parent, span), work, undefined, span);
  }

  return { startSpan, startActiveSpan };
}

function validContextOf(span: Span | undefined): SpanContext | undefined {
  const found = span?.spanContext();
  return found !== undefined && isSpanContextValid(found) ? found : undefined;
}

import type { OtlpReceiver, ReceivedSpan } from '@callpass/otlp-receiver';

/** A span as the page's waterfall draws it. */
export interface SpanView {
  readonly spanId: string;
  /** Null at the root of the trace. */
  readonly parentSpanId: string | null;
  readonly service: string;
  readonly name: string;
  readonly kind: string;
  /** From the start of the first span of the trace. */
  readonly startMs: number;
  readonly durationMs: number;
  readonly status: string;
  readonly attributes: Readonly<Record<string, unknown>>;
}

/** Collects the received spans of a trace, in the order of their start. */
export function traceView(receiver: OtlpReceiver, traceId: string): { traceId: string; spans: SpanView[] } {
  const spans = receiver
    .spans()
    .filter((span) => span.traceId === traceId)
    .sort((one, other) => (one.startTimeUnixNano < other.startTimeUnixNano ? -1 : 1));
  const begin = spans[0]?.startTimeUnixNano ?? 0n;
  return { traceId, spans: spans.map((span) => spanView(span, begin)) };
}

function spanView(span: ReceivedSpan, begin: bigint): SpanView {
  const { spanId, parentSpanId, name, kind, startTimeUnixNano, endTimeUnixNano, status } = span;
  const service = span.resource['service.name'];
  return {
    spanId,
    parentSpanId: parentSpanId ?? null,
    service: typeof service === 'string' ? service : 'unknown',
    name,
    kind,
    startMs: toMs(startTimeUnixNano - begin),
    durationMs: toMs(endTimeUnixNano - startTimeUnixNano),
    status: status.code,
    attributes: withoutBigints(span.attributes),
  };
}

function toMs(nanoseconds: bigint): number {
  return Number(nanoseconds / 1000n) / 1000;
}

/** JSON has no whole numbers past 2^53; here they only show. */
function withoutBigints(attributes: ReceivedSpan['attributes']): SpanView['attributes'] {
  const text = JSON.stringify(attributes, (_key, value: unknown) =>
    typeof value === 'bigint' ? Number(value) : value,
  );
  return JSON.parse(text) as SpanView['attributes'];
}

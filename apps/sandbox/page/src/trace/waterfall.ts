/** Span in the form of the sandbox (`GET /sandbox/traces/{traceId}`). */
export interface Span {
  readonly spanId: string;
  readonly parentSpanId: string | null;
  readonly service: string;
  readonly name: string;
  /** Start in milliseconds after the trace's first span. */
  readonly startMs: number;
  readonly durationMs: number;
  /** `UNSET`, `OK` or `ERROR`. */
  readonly status?: string;
}

/** Row of the waterfall. */
export interface WaterfallRow {
  readonly span: Span;
  /** Depth in the tree, 0 for a root. */
  readonly depth: number;
  /** Start of the bar as a part of the whole, 0 to 1. */
  readonly start: number;
  /** Length of the bar as a part of the whole, 0 to 1. */
  readonly share: number;
}

/** Flattens the tree of spans: parents before children, children by time. A span whose parent is missing is a root. */
export function waterfall(spans: readonly Span[]): readonly WaterfallRow[] {
  const known = new Set(spans.map(({ spanId }) => spanId));
  const first = Math.min(...spans.map(({ startMs }) => startMs));
  const whole = Math.max(...spans.map(({ startMs, durationMs }) => startMs + durationMs)) - first || 1;
  const childrenOf = Map.groupBy(spans, ({ parentSpanId }) =>
    parentSpanId !== null && known.has(parentSpanId) ? parentSpanId : null,
  );
  const rows: WaterfallRow[] = [];
  const placed = new Set<string>();
  const place = (parent: string | null, depth: number): void => {
    const children = [...(childrenOf.get(parent) ?? [])].sort((a, b) => a.startMs - b.startMs);
    for (const span of children) {
      if (placed.has(span.spanId)) continue;
      placed.add(span.spanId);
      rows.push({ span, depth, start: (span.startMs - first) / whole, share: span.durationMs / whole });
      place(span.spanId, depth + 1);
    }
  };
  place(null, 0);
  return rows;
}

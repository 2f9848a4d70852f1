import type { TraceContext } from './trace-context.ts';

/** Finished span of the browser: one request to the edge. */
export interface BrowserSpan extends TraceContext {
  readonly name: string;
  /** Start in milliseconds since the epoch, with fractions. */
  readonly startMs: number;
  readonly endMs: number;
  readonly failed: boolean;
}

const CLIENT = 3;
const ERROR = 2;

/** Encodes the span as an OTLP/HTTP JSON export. */
export function otlpExport(span: BrowserSpan): object {
  const { traceId, spanId, name, startMs, endMs, failed } = span;
  return {
    resourceSpans: [
      {
        resource: { attributes: [{ key: 'service.name', value: { stringValue: 'browser' } }] },
        scopeSpans: [
          {
            scope: { name: 'callpass-page' },
            spans: [
              {
                traceId,
                spanId,
                name,
                kind: CLIENT,
                startTimeUnixNano: nanoseconds(startMs),
                endTimeUnixNano: nanoseconds(endMs),
                status: failed ? { code: ERROR } : {},
              },
            ],
          },
        ],
      },
    ],
  };
}

/** Converts to nanoseconds as text: they do not fit in a double. */
function nanoseconds(ms: number): string {
  return `${BigInt(Math.round(ms * 1000)) * 1000n}`;
}

import {
  readAttributes,
  readInteger,
  readNumber,
  readObject,
  readObjects,
  readText,
  type Attributes,
  type JsonObject,
} from './json-reader.ts';
import { flatten, type Origin } from './received-scope.ts';

const KINDS = ['UNSPECIFIED', 'INTERNAL', 'SERVER', 'CLIENT', 'PRODUCER', 'CONSUMER'] as const;
const STATUS_CODES = ['UNSET', 'OK', 'ERROR'] as const;

/** Kind of a span, by name. */
export type SpanKindName = (typeof KINDS)[number];
/** Status of a span, by name. */
export type SpanStatusName = (typeof STATUS_CODES)[number];

/** Received span. */
export interface ReceivedSpan extends Origin {
  /** 32 hex digits. */
  readonly traceId: string;
  /** 16 hex digits. */
  readonly spanId: string;
  /** 16 hex digits; `undefined` for the root of a trace. */
  readonly parentSpanId: string | undefined;
  readonly name: string;
  readonly kind: SpanKindName;
  /** Nanoseconds since 1970. */
  readonly startTimeUnixNano: bigint;
  /** Nanoseconds since 1970. */
  readonly endTimeUnixNano: bigint;
  readonly attributes: Attributes;
  readonly status: { readonly code: SpanStatusName; readonly message: string };
  readonly events: readonly ReceivedEvent[];
  readonly links: readonly ReceivedLink[];
}

/** Event of a span. */
export interface ReceivedEvent {
  readonly name: string;
  /** Nanoseconds since 1970. */
  readonly timeUnixNano: bigint;
  readonly attributes: Attributes;
}

/** Link to another span. */
export interface ReceivedLink {
  readonly traceId: string;
  readonly spanId: string;
  readonly attributes: Attributes;
}

/** Reads the spans of an `ExportTraceServiceRequest`, in order. */
export function readSpans(request: JsonObject): ReceivedSpan[] {
  const nesting = { resources: 'resourceSpans', scopes: 'scopeSpans', items: 'spans' };
  return Array.from(flatten(request, nesting), ([span, origin]) => readSpan(span, origin));
}

function readSpan(span: JsonObject, origin: Origin): ReceivedSpan {
  const status = readObject(span['status']);
  return {
    traceId: readText(span['traceId']).toLowerCase(),
    spanId: readText(span['spanId']).toLowerCase(),
    parentSpanId: readText(span['parentSpanId']).toLowerCase() || undefined,
    name: readText(span['name']),
    kind: KINDS[readNumber(span['kind']) ?? 0] ?? 'UNSPECIFIED',
    startTimeUnixNano: readInteger(span['startTimeUnixNano']),
    endTimeUnixNano: readInteger(span['endTimeUnixNano']),
    attributes: readAttributes(span['attributes']),
    status: {
      code: STATUS_CODES[readNumber(status['code']) ?? 0] ?? 'UNSET',
      message: readText(status['message']),
    },
    events: readObjects(span['events']).map((event) => ({
      name: readText(event['name']),
      timeUnixNano: readInteger(event['timeUnixNano']),
      attributes: readAttributes(event['attributes']),
    })),
    links: readObjects(span['links']).map((link) => ({
      traceId: readText(link['traceId']).toLowerCase(),
      spanId: readText(link['spanId']).toLowerCase(),
      attributes: readAttributes(link['attributes']),
    })),
    ...origin,
  };
}

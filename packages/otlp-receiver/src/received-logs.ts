import {
  readAnyValue,
  readAttributes,
  readInteger,
  readNumber,
  readText,
  type Attributes,
  type AttributeValue,
  type JsonObject,
} from './json-reader.ts';
import { flatten, type Origin } from './received-scope.ts';

/** Received log record. */
export interface ReceivedLog extends Origin {
  /** Time of the event, else of its observation, in nanoseconds since 1970. */
  readonly timeUnixNano: bigint;
  /** 1 (TRACE) to 24 (FATAL4), 0 for none. */
  readonly severityNumber: number;
  readonly severityText: string;
  readonly body: AttributeValue;
  readonly attributes: Attributes;
  /** 32 hex digits; `undefined` outside a trace. */
  readonly traceId: string | undefined;
  /** 16 hex digits; `undefined` outside a trace. */
  readonly spanId: string | undefined;
}

/** Reads the log records of an `ExportLogsServiceRequest`, in order. */
export function readLogs(request: JsonObject): ReceivedLog[] {
  const nesting = { resources: 'resourceLogs', scopes: 'scopeLogs', items: 'logRecords' };
  return Array.from(flatten(request, nesting), ([log, origin]) => ({
    timeUnixNano: readInteger(log['timeUnixNano']) || readInteger(log['observedTimeUnixNano']),
    severityNumber: readNumber(log['severityNumber']) ?? 0,
    severityText: readText(log['severityText']),
    body: readAnyValue(log['body']),
    attributes: readAttributes(log['attributes']),
    traceId: readText(log['traceId']).toLowerCase() || undefined,
    spanId: readText(log['spanId']).toLowerCase() || undefined,
    ...origin,
  }));
}

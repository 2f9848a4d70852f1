import { addLogSink } from '@callpass/program/log';
import { SCOPE_NAME } from '@callpass/telemetry';
import { logs, SeverityNumber, type Attributes } from '@opentelemetry/api';

/** Severities of OpenTelemetry for the levels of the log. */
const SEVERITIES: Readonly<Record<string, SeverityNumber>> = {
  debug: SeverityNumber.DEBUG,
  info: SeverityNumber.INFO,
  warn: SeverityNumber.WARN,
  error: SeverityNumber.ERROR,
  fatal: SeverityNumber.FATAL,
};

/**
 * Sends each line of the log to the SDK as a log record too: its message as the body, its other fields as attributes, with the span that
 * is active. Standard error keeps all lines.
 */
export function sendLogRecords(): void {
  const logger = logs.getLogger(SCOPE_NAME);
  addLogSink((line) => {
    const { level, time, msg, ...attributes } = JSON.parse(line) as Line;
    logger.emit({
      timestamp: new Date(time),
      severityNumber: SEVERITIES[level] ?? SeverityNumber.UNSPECIFIED,
      severityText: level.toUpperCase(),
      body: msg ?? '',
      attributes,
    });
  });
}

type Line = { readonly level: string; readonly time: string; readonly msg?: string } & Attributes;

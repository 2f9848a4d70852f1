import { createCountedLines } from '@callpass/program';
import { diag, DiagLogLevel } from '@opentelemetry/api';
import type { DeliveryLog } from './delivery/delivery.ts';

const AGAIN_MS = 3_600_000;
const MAX_TEXT = 500;

/**
 * Sends warnings and errors of the SDK to a log: each kind once, then once an hour with its number. With `OTEL_LOG_LEVEL` the SDK writes
 * them itself. Failed exports are left out: {@link Delivery} reports them, without what the collector has answered.
 */
export function followDiag(log: DeliveryLog): void {
  if (process.env['OTEL_LOG_LEVEL']?.trim()) return;
  const lines = createCountedLines(AGAIN_MS);
  const note = (...texts: unknown[]) => {
    const text = texts.map(String).join(' ').slice(0, MAX_TEXT);
    if (/^\{.*"stack"|export (failed|timed out|threw)/s.test(text)) return;
    lines.note(text.replace(/\d+/g, '#'), (count) => {
      log.warn({ text, count }, 'message of the OpenTelemetry SDK');
    });
  };
  const none = () => undefined;
  diag.setLogger(
    { error: note, warn: note, info: none, debug: none, verbose: none },
    { logLevel: DiagLogLevel.WARN, suppressOverrideMessage: true },
  );
}

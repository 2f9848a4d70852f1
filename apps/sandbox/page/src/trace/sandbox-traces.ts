import { otlpExport, type BrowserSpan } from './browser-span.ts';
import type { Span } from './waterfall.ts';

/** Exporters send in batches, so a trace fills up over some seconds. */
const PAUSE_MS = 500;
const ROUNDS = 24;

/** Sends the browser's span to the sandbox's receiver. A trace is a convenience: a failure is not shown. */
export async function exportSpan(telemetry: string, span: BrowserSpan): Promise<void> {
  await fetch(`${telemetry}/v1/traces`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(otlpExport(span)),
  }).catch(() => undefined);
}

/** Asks for the trace again and again and hands over what has arrived, until it has stayed the same for a while. */
export async function followTrace(
  control: string,
  traceId: string,
  signal: AbortSignal,
  onSpans: (spans: readonly Span[]) => void,
): Promise<void> {
  let seen = 0;
  for (let round = 0; round < ROUNDS && !signal.aborted; round++) {
    const spans = await fetchTrace(control, traceId, signal);
    if (spans.length > seen && !signal.aborted) onSpans(spans);
    seen = Math.max(seen, spans.length);
    await new Promise((resolve) => setTimeout(resolve, PAUSE_MS));
  }
}

async function fetchTrace(control: string, traceId: string, signal: AbortSignal): Promise<readonly Span[]> {
  try {
    const response = await fetch(`${control}/traces/${traceId}`, { signal, cache: 'no-store' });
    return response.ok ? ((await response.json()) as { spans: Span[] }).spans : [];
  } catch {
    return [];
  }
}

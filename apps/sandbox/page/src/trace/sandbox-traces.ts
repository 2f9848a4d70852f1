import { otlpExport, type BrowserSpan } from './browser-span.ts';
import type { Span } from './waterfall.ts';

/** Pause between requests. Exporters send in batches, so a trace is complete after some seconds. */
const PAUSE_MS = 500;
const ROUNDS = 24;

/** Sends the browser's span to the sandbox's receiver. Failures are ignored. */
export async function exportSpan(telemetry: string, span: BrowserSpan): Promise<void> {
  await fetch(`${telemetry}/v1/traces`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(otlpExport(span)),
  }).catch(() => undefined);
}

/** Polls the trace for twelve seconds and reports its spans whenever there are more. */
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

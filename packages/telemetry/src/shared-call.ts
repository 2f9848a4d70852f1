import { context, ROOT_CONTEXT, trace, type Span } from '@opentelemetry/api';
import { SCOPE_NAME, SPAN_COALESCE, SPAN_SHARE } from './names.ts';
import { endFailed } from './span.ts';

/** Span of one request that waits for an RPC which it shares with others. */
export interface CoalescedSpan {
  /** @internal */
  readonly span: Span;
  /** Ends the span; with an error that is a fault of the service it is marked as failed. */
  end(error?: unknown): void;
}

/** Starts the span of a request, or returns `undefined` if the active span is not recorded. */
export function startCoalescedSpan(): CoalescedSpan | undefined {
  if (!trace.getActiveSpan()?.isRecording()) return undefined;
  const span = trace.getTracer(SCOPE_NAME).startSpan(SPAN_COALESCE);
  return {
    span,
    end: (error) => {
      if (error === undefined) span.end();
      else endFailed(span, error);
    },
  };
}

/**
 * Runs an RPC that several requests share in a span of its own, which is linked with theirs in both directions and belongs to
 * the trace of the first of them. Without a recorded request the RPC runs outside of every trace of a request.
 */
export async function withSharedCall<T>(
  requests: readonly (CoalescedSpan | undefined)[],
  rpc: () => Promise<T>,
): Promise<T> {
  const recorded = requests.filter((request) => request !== undefined);
  const [first] = recorded;
  if (first === undefined) return context.with(ROOT_CONTEXT, rpc);
  const parent = trace.setSpan(ROOT_CONTEXT, first.span);
  const links = recorded.map(({ span }) => ({ context: span.spanContext() }));
  const shared = trace.getTracer(SCOPE_NAME).startSpan(SPAN_SHARE, { links }, parent);
  for (const { span } of recorded) span.addLink({ context: shared.spanContext() });
  try {
    const result = await context.with(trace.setSpan(ROOT_CONTEXT, shared), rpc);
    shared.end();
    return result;
  } catch (error) {
    endFailed(shared, error);
    throw error;
  }
}

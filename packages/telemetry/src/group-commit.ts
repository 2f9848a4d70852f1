import { ROOT_CONTEXT, SpanStatusCode, trace, type Span } from '@opentelemetry/api';
import {
  ATTR_LEDGER_BYTES,
  ATTR_LEDGER_ENTRIES,
  ATTR_LEDGER_OUTCOME,
  ATTR_LEDGER_QUEUED,
  ATTR_ERROR_TYPE,
  SCOPE_NAME,
  SPAN_GROUP_COMMIT,
} from './names.ts';

/** Commit that many entries share, with its measurements: the same object for each of them. */
export interface GroupCommit {
  readonly outcome: 'committed' | 'failed' | 'overdue';
  /** Start of the commit, on the clock of `performance.now()`. */
  readonly startedAtMs: number;
  readonly durationMs: number;
  /** Number of entries. */
  readonly size: number;
  /** Size of texts and fingerprints in bytes. */
  readonly bytes: number;
  /** Number of entries that wait for the next commit. */
  readonly queued: number;
}

/**
 * Creates a function that records the span of a group commit and links it with the spans of its entries, in both
 * directions. There is no span for a commit without a recorded entry. The span belongs to the trace of the first recorded
 * entry.
 */
export function createGroupCommitSpans(): (commit: GroupCommit, entrySpan: Span) => void {
  const spans = new WeakMap<GroupCommit, Span>();
  return (commit, entrySpan) => {
    let span = spans.get(commit);
    if (span === undefined) {
      const endMs = commit.startedAtMs + commit.durationMs;
      span = trace.getTracer(SCOPE_NAME).startSpan(
        SPAN_GROUP_COMMIT,
        {
          startTime: performance.timeOrigin + commit.startedAtMs,
          attributes: {
            [ATTR_LEDGER_OUTCOME]: commit.outcome,
            [ATTR_LEDGER_ENTRIES]: commit.size,
            [ATTR_LEDGER_BYTES]: commit.bytes,
            [ATTR_LEDGER_QUEUED]: commit.queued,
          },
        },
        trace.setSpan(ROOT_CONTEXT, entrySpan),
      );
      if (commit.outcome !== 'committed') {
        span.setAttribute(ATTR_ERROR_TYPE, 'LEDGER_UNAVAILABLE');
        span.setStatus({ code: SpanStatusCode.ERROR });
      }
      spans.set(commit, span);
      const ending = span;
      // All entries of a commit are reported in one turn of the event loop; the span ends after the last.
      queueMicrotask(() => {
        ending.end(performance.timeOrigin + endMs);
      });
    }
    span.addLink({ context: entrySpan.spanContext() });
    entrySpan.addLink({ context: span.spanContext() });
  };
}

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

/** A commit that many entries shared, measured where it was made: the same object for each of them. */
export interface GroupCommit {
  readonly outcome: 'committed' | 'failed' | 'overdue';
  /** When it began, on the clock of `performance.now()`. */
  readonly startedAtMs: number;
  readonly durationMs: number;
  /** Entries in it. */
  readonly size: number;
  /** Bytes of texts and fingerprints in it. */
  readonly bytes: number;
  /** Entries that wait for the next one. */
  readonly queued: number;
}

/**
 * Makes the spans of group commits and links the spans of their entries with them, both ways. A commit that no recorded
 * entry was in makes none. Its span is in the trace of the first recorded entry, so it is recorded when that is.
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
      // All entries of a commit are told in one turn; the span ends after the last.
      queueMicrotask(() => {
        ending.end(performance.timeOrigin + endMs);
      });
    }
    span.addLink({ context: entrySpan.spanContext() });
    entrySpan.addLink({ context: span.spanContext() });
  };
}

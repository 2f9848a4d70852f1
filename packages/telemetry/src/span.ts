import { context, INVALID_TRACEID, SpanStatusCode, trace, type Span } from '@opentelemetry/api';
import {
  ATTR_ERROR_TYPE,
  ERROR_TYPE_OTHER,
  SCOPE_NAME,
  SPAN_ATTRIBUTES,
  type SpanAttributeName,
} from './names.ts';
import { createGroupCommitSpans, type GroupCommit } from './group-commit.ts';
import { isServerFault, STATUS_NAMES, statusOf } from './rpc-status.ts';

const MAX_VALUE_LENGTH = 256;
const ERROR_NAME = /^[A-Za-z_]\w{0,63}$/;
const allowed: ReadonlySet<string> = new Set(SPAN_ATTRIBUTES);

/** Name of a child span: `callpass.<noun>.<verb>`, fixed in the code, never built from input. */
export type ChildSpanName = `callpass.${string}`;

/** Attributes by their allowed names. `undefined` is left out. */
export type SpanAttributes = Readonly<
  Partial<Record<SpanAttributeName, string | number | boolean | undefined>>
>;

/**
 * Runs `work` in a child span of the active span. Ends the span when `work` returns or its promise settles. Returns the
 * result of `work` and passes on its errors.
 *
 * If the active span is not recorded, no child is created, so an unsampled call costs one look-up of the context. A refusal
 * (an error with a gRPC status that is not a server fault) does not mark the span. Any other error marks it as failed with
 * `error.type`, without the message, which may contain secrets. `describe` returns the attributes of an error.
 */
export function withSpan<T>(
  name: ChildSpanName,
  work: () => T,
  describe?: (error: unknown) => SpanAttributes,
): T {
  const parentContext = context.active();
  const parent = trace.getSpan(parentContext);
  if (parent !== undefined && !parent.isRecording() && parent.spanContext().isRemote !== true) return work();
  const span = trace.getTracer(SCOPE_NAME).startSpan(name, undefined, parentContext);
  return endingSpan(
    span,
    () => context.with(trace.setSpan(parentContext, span), work),
    (error) => {
      if (describe) setOn(span, describe(error));
      endFailed(span, error);
    },
  );
}

/** Span of a step. Its methods have no effect if the call is not recorded. */
export interface StepSpan {
  /** True if there is a span. Check it before work that is done for the span only. */
  readonly recording: boolean;
  set(attributes: SpanAttributes): void;
  /** Links the span with its group commit; see {@link createGroupCommitSpans}. */
  readonly sharedCommit: (commit: GroupCommit) => void;
}

const linkCommit = createGroupCommitSpans();
const NOT_RECORDED: StepSpan = { recording: false, set: () => undefined, sharedCommit: () => undefined };

/**
 * As {@link withSpan}, for a step that starts no spans of its own. The active span does not change, which is cheaper, and
 * the step sets attributes on its argument.
 */
export function withStep<T>(
  name: ChildSpanName,
  work: (span: StepSpan) => T,
  describe?: (error: unknown) => SpanAttributes,
): T {
  const parentContext = context.active();
  if (!trace.getSpan(parentContext)?.isRecording()) return work(NOT_RECORDED);
  const span = trace.getTracer(SCOPE_NAME).startSpan(name, undefined, parentContext);
  const failed = (error: unknown) => {
    if (describe) setOn(span, describe(error));
    endFailed(span, error);
  };
  const stepSpan: StepSpan = {
    recording: true,
    set: (attributes) => {
      setOn(span, attributes);
    },
    sharedCommit: (commit) => {
      linkCommit(commit, span);
    },
  };
  return endingSpan(span, () => work(stepSpan), failed);
}

/** Runs `work` and ends the span when it has returned or its promise is fulfilled; otherwise `failed` ends it. */
function endingSpan<T>(span: Span, work: () => T, failed: (error: unknown) => void): T {
  let result: T;
  try {
    result = work();
  } catch (error) {
    failed(error);
    throw error;
  }
  if (!isPromiseLike(result)) {
    span.end();
    return result;
  }
  return result.then(
    (value) => {
      span.end();
      return value;
    },
    (error: unknown) => {
      failed(error);
      throw error;
    },
  ) as T;
}

/** Adds an event to the active span, if it is recorded. */
export function addSpanEvent(name: ChildSpanName, attributes: SpanAttributes): void {
  const span = trace.getActiveSpan();
  if (span?.isRecording()) span.addEvent(name, cleaned(attributes));
}

/**
 * Sets attributes on the active span, if it is recorded. Names outside {@link SPAN_ATTRIBUTES} are left out
 * and texts are cut at 256 characters.
 */
export function setSpanAttributes(attributes: SpanAttributes): void {
  const span = trace.getActiveSpan();
  if (span?.isRecording()) setOn(span, attributes);
}

function setOn(span: Span, attributes: SpanAttributes): void {
  for (const name in attributes) {
    const value = attributes[name as SpanAttributeName];
    if (value !== undefined && allowed.has(name)) span.setAttribute(name, cut(value));
  }
}

function cleaned(attributes: SpanAttributes): Record<string, string | number | boolean> {
  const clean: Record<string, string | number | boolean> = {};
  for (const [name, value] of Object.entries(attributes)) {
    if (value === undefined || !allowed.has(name)) continue;
    clean[name] = cut(value);
  }
  return clean;
}

function cut<T extends string | number | boolean>(value: T): T | string {
  return typeof value === 'string' ? value.slice(0, MAX_VALUE_LENGTH) : value;
}

/** Checks if the active span is recorded. Use it before work that is done for a span only. */
export function isRecording(): boolean {
  return trace.getActiveSpan()?.isRecording() ?? false;
}

/** Gets the trace id of the active span, sampled or not: 32 lower-case hex digits, or `undefined` outside of a trace. */
export function traceId(): string | undefined {
  const id = trace.getActiveSpan()?.spanContext().traceId;
  return id === INVALID_TRACEID ? undefined : id;
}

/** Ends a span; an error that is no refusal marks it as failed, without its message, which may hold secrets. */
export function endFailed(span: Span, error: unknown): void {
  const code = statusOf(error);
  if (span.isRecording() && (code === undefined || isServerFault(code))) {
    span.setAttribute(ATTR_ERROR_TYPE, errorType(error, code));
    span.setStatus({ code: SpanStatusCode.ERROR });
  }
  span.end();
}

function errorType(error: unknown, code: number | undefined): string {
  if (code !== undefined) return STATUS_NAMES[code] ?? ERROR_TYPE_OTHER;
  return error instanceof Error && ERROR_NAME.test(error.name) ? error.name : ERROR_TYPE_OTHER;
}

function isPromiseLike(value: unknown): value is PromiseLike<unknown> {
  return typeof value === 'object' && value !== null && 'then' in value && typeof value.then === 'function';
}

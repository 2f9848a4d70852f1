import {
  ATTR_REASON,
  ATTR_RULE,
  withStep,
  type ChildSpanName,
  type SpanAttributes,
  type StepSpan,
} from '@callpass/telemetry';
import { reasonOf } from './map-error.ts';
import { Refusal } from './refusal.ts';

/** Runs one step of a request in a span of its own that says, when the step refuses or fails, why and by which rule. */
export function step<T>(name: ChildSpanName, work: (span: StepSpan) => T): T {
  return withStep(name, work, explain);
}

/** Why something was not done, as attributes of a span. */
export function explain(error: unknown): SpanAttributes {
  return {
    [ATTR_REASON]: reasonOf(error) ?? 'INTERNAL',
    [ATTR_RULE]: error instanceof Refusal ? error.details.rule : undefined,
  };
}

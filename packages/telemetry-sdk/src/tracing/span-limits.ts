import { numberIn, type Environment } from '../variables.ts';

/** Limits on what one span holds. What is above them is left out and counted. */
export interface SpanLimits {
  readonly attributes: number;
  /** Characters of a text. */
  readonly valueLength: number;
  readonly events: number;
  readonly links: number;
}

/** Reads the limits from the standard variables; their defaults are those of the specification. */
export function spanLimitsIn(environment: Environment): SpanLimits {
  const limit = (name: string, otherwise: number) => numberIn(environment, `OTEL_${name}_LIMIT`, otherwise);
  return {
    attributes: limit('SPAN_ATTRIBUTE_COUNT', limit('ATTRIBUTE_COUNT', 128)),
    valueLength: limit('SPAN_ATTRIBUTE_VALUE_LENGTH', limit('ATTRIBUTE_VALUE_LENGTH', Infinity)),
    events: limit('SPAN_EVENT_COUNT', 128),
    links: limit('SPAN_LINK_COUNT', 128),
  };
}

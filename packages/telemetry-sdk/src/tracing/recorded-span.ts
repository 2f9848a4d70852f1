import {
  SpanKind,
  SpanStatusCode,
  type Attributes,
  type AttributeValue,
  type HrTime,
  type Link,
  type Span,
  type SpanContext,
  type SpanOptions,
  type SpanStatus,
  type TimeInput,
} from '@opentelemetry/api';
import type { ReadableSpan } from '@opentelemetry/sdk-trace';
import type { SpanLimits } from './span-limits.ts';

/** Properties that all spans of a tracer share. */
export interface SpanOrigin extends Pick<ReadableSpan, 'resource' | 'instrumentationScope'> {
  readonly limits: SpanLimits;
  readonly onEnd: (span: ReadableSpan) => void;
}

/** Place of a span in its trace. */
export interface SpanPlace {
  readonly own: SpanContext;
  readonly parent: SpanContext | undefined;
  /** Difference of the wall clock to `performance.now()` in whole ms; the spans of a trace in this process share one. */
  readonly clockOffsetMs: number;
}

type SpanEvent = ReadableSpan['events'][number];

const UNSET: SpanStatus = { code: SpanStatusCode.UNSET };
const NO_LINKS: Link[] = [];
const NO_EVENTS: SpanEvent[] = [];

/**
 * Recorded span. The SDK's own one checks each parent id, copies each attribute and object that it gets, and takes the time of a
 * start from a clock of whole milliseconds; with this one a call with all its spans takes half the time. The same calls give the
 * same export, which a test checks.
 */
export class RecordedSpan implements Span, ReadableSpan {
  name: string;
  readonly kind: SpanKind;
  readonly parentSpanContext?: SpanContext;
  readonly attributes: Attributes = {};
  links = NO_LINKS;
  events = NO_EVENTS;
  status = UNSET;
  ended = false;
  droppedAttributesCount = 0;
  droppedEventsCount = 0;
  droppedLinksCount = 0;
  readonly clockOffsetMs: number;
  readonly #origin: SpanOrigin;
  readonly #context: SpanContext;
  /** On the clock of `performance.now()`, as the end is. */
  readonly #startMs: number;
  #endMs = 0;
  #attributeCount = 0;

  constructor(origin: SpanOrigin, name: string, options: SpanOptions, place: SpanPlace) {
    this.name = name;
    this.kind = options.kind ?? SpanKind.INTERNAL;
    if (place.parent !== undefined) this.parentSpanContext = place.parent;
    this.clockOffsetMs = place.clockOffsetMs;
    this.#origin = origin;
    this.#context = place.own;
    this.#startMs = this.#millisecondsOf(options.startTime);
    if (options.attributes !== undefined) this.setAttributes(options.attributes);
    if (options.links !== undefined) this.addLinks(options.links);
  }

  get resource(): ReadableSpan['resource'] {
    return this.#origin.resource;
  }

  get instrumentationScope(): ReadableSpan['instrumentationScope'] {
    return this.#origin.instrumentationScope;
  }

  get startTime(): HrTime {
    return this.#sinceEpoch(this.#startMs);
  }

  get endTime(): HrTime {
    return this.#sinceEpoch(this.#endMs);
  }

  get duration(): HrTime {
    return asHrTime(0, this.#endMs - this.#startMs);
  }

  spanContext(): SpanContext {
    return this.#context;
  }

  isRecording(): boolean {
    return !this.ended;
  }

  setAttribute(key: string, value: AttributeValue): this {
    if (this.ended || key === '' || value === undefined) return this;
    const { attributes } = this;
    if (!Object.hasOwn(attributes, key)) {
      if (this.#attributeCount >= this.#origin.limits.attributes) {
        this.droppedAttributesCount++;
        return this;
      }
      this.#attributeCount++;
    }
    attributes[key] = cut(value, this.#origin.limits.valueLength);
    return this;
  }

  setAttributes(attributes: Attributes): this {
    for (const key in attributes) this.setAttribute(key, attributes[key]);
    return this;
  }

  addEvent(name: string, attributesOrTime?: Attributes | TimeInput, time?: TimeInput): this {
    if (this.ended) return this;
    const given = isTime(attributesOrTime)
      ? { time: attributesOrTime }
      : { time, attributes: attributesOrTime };
    if (this.events === NO_EVENTS) this.events = [];
    this.droppedEventsCount += pushLatest(this.events, this.#origin.limits.events, {
      name,
      time: this.#sinceEpoch(this.#millisecondsOf(given.time)),
      ...(given.attributes && { attributes: this.#copyOf(given.attributes), droppedAttributesCount: 0 }),
    });
    return this;
  }

  addLink({ context, attributes }: Link): this {
    if (this.ended) return this;
    if (this.links === NO_LINKS) this.links = [];
    const link = attributes ? { context, attributes: this.#copyOf(attributes) } : { context };
    this.droppedLinksCount += pushLatest(this.links, this.#origin.limits.links, link);
    return this;
  }

  addLinks(links: readonly Link[]): this {
    for (const link of links) this.addLink(link);
    return this;
  }

  setStatus({ code, message }: SpanStatus): this {
    if (this.ended || code === SpanStatusCode.UNSET || this.status.code === SpanStatusCode.OK) return this;
    this.status = code === SpanStatusCode.ERROR && message !== undefined ? { code, message } : { code };
    return this;
  }

  updateName(name: string): this {
    if (!this.ended) this.name = name;
    return this;
  }

  /** Records that there was an exception. Its text and stack, which may hold secrets, are left out. */
  recordException(_exception: unknown, time?: TimeInput): void {
    this.addEvent('exception', undefined, time);
  }

  end(time?: TimeInput): void {
    if (this.ended) return;
    this.#endMs = Math.max(this.#startMs, this.#millisecondsOf(time));
    this.ended = true;
    this.#origin.onEnd(this);
  }

  /** Time on the clock of `performance.now()`. A number that is no more than what it gives is a time of it, as in the SDK. */
  #millisecondsOf(time: TimeInput | undefined): number {
    const now = performance.now();
    if (time === undefined || (typeof time === 'number' && time <= now)) return time ?? now;
    if (typeof time === 'number') return time - this.clockOffsetMs;
    if (time instanceof Date) return time.getTime() - this.clockOffsetMs;
    return time[0] * 1000 - this.clockOffsetMs + time[1] / 1e6;
  }

  #sinceEpoch(ms: number): HrTime {
    return asHrTime(this.clockOffsetMs, ms);
  }

  #copyOf(attributes: Attributes): Attributes {
    const { valueLength } = this.#origin.limits;
    const copy: Attributes = {};
    for (const [key, value] of Object.entries(attributes))
      if (key !== '' && value !== undefined) copy[key] = cut(value, valueLength);
    return copy;
  }
}

/** Keeps the latest items, as many as the limit says. Returns the number of items that were dropped. */
function pushLatest<T>(items: T[], limit: number, item: T): number {
  items.push(item);
  if (items.length <= limit) return 0;
  items.shift();
  return 1;
}

/** Converts a sum of two times whose first part is whole, so that the fraction of the second keeps its digits. */
function asHrTime(wholeMs: number, ms: number): HrTime {
  const floor = Math.floor(ms);
  const nanoseconds = Math.round((ms - floor) * 1e6);
  if (nanoseconds === 1e6) return asHrTime(wholeMs, floor + 1);
  const seconds = Math.floor((wholeMs + floor) / 1000);
  return [seconds, (wholeMs + floor - seconds * 1000) * 1e6 + nanoseconds];
}

function isTime(value: Attributes | TimeInput | undefined): value is TimeInput {
  return typeof value === 'number' || value instanceof Date || Array.isArray(value);
}

/** Cuts a text, and the texts of a list. */
function cut(value: AttributeValue, length: number): AttributeValue {
  if (typeof value === 'string') return value.length <= length ? value : value.slice(0, length);
  return Array.isArray(value) ? value.map((item: AttributeValue) => cut(item, length)) : value;
}

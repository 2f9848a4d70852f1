import { describe, expect, it } from '@jest/globals';
import {
  ROOT_CONTEXT,
  SpanKind,
  SpanStatusCode,
  trace,
  type Attributes,
  type HrTime,
  type Span,
  type TracerProvider as AnyProvider,
} from '@opentelemetry/api';
import { resourceFromAttributes } from '@opentelemetry/resources';
import {
  ParentBasedSampler,
  TraceIdRatioBasedSampler,
  TracerProvider,
  type ReadableSpan,
} from '@opentelemetry/sdk-trace';
import fc from 'fast-check';
import { createSpanEncoder } from '../otlp/encode-spans.ts';
import { spanLimitsIn, type SpanLimits } from './span-limits.ts';
import { createTracerProvider } from './tracer-provider.ts';

const NO_LIMITS = spanLimitsIn({});

/** Parts that both providers are made of. */
function partsOf(limits: SpanLimits) {
  // Spread over all ids, so that a sampler of one half takes some.
  const idsOf = (digits: number) => {
    let drawn = 0;
    return () => (++drawn * 0x9e3779b97).toString(16).slice(-8).padStart(digits, '5');
  };
  const ended: ReadableSpan[] = [];
  return {
    limits,
    ended,
    resource: resourceFromAttributes({ 'service.name': 'x' }),
    sampler: new ParentBasedSampler({ root: new TraceIdRatioBasedSampler(0.5) }),
    ids: { generateTraceId: idsOf(32), generateSpanId: idsOf(16) },
    onEnd: (span: ReadableSpan) => void ended.push(span),
  };
}

function own(limits: SpanLimits) {
  const parts = partsOf(limits);
  return { provider: createTracerProvider(parts), ended: parts.ended };
}

function sdk(limits: SpanLimits) {
  const { ended, onEnd, ids, ...parts } = partsOf(limits);
  const provider = new TracerProvider({
    ...{ ...parts, idGenerator: ids },
    spanProcessors: [
      {
        onStart: () => undefined,
        onEnd,
        forceFlush: () => Promise.resolve(),
        shutdown: () => Promise.resolve(),
      },
    ],
    spanLimits: {
      ...{ attributeCountLimit: limits.attributes, attributeValueLengthLimit: limits.valueLength },
      ...{ eventCountLimit: limits.events, linkCountLimit: limits.links },
    },
  });
  return { provider: provider as AnyProvider, ended };
}

const text = fc.constantFrom('', 'a', 'rpc.method', 'toString', 'somewhat longer than the limit');
const value = fc.oneof(text, fc.integer(), fc.boolean(), fc.array(text), fc.constant(undefined));
const key = fc.constantFrom('a', 'rpc.method', 'toString', 'callpass.reason');
const attributes = fc.dictionary(key, value, { maxKeys: 5 }) as fc.Arbitrary<Attributes>;
const NOW = Date.now();
const time = fc
  .integer({ min: NOW - 10_000, max: NOW + 10_000 })
  .chain((ms) =>
    fc.constantFrom(ms, new Date(ms), [Math.floor(ms / 1000), (ms % 1000) * 1e6] satisfies HrTime),
  );
const link = fc.record(
  { context: fc.constant({ traceId: 'a'.repeat(32), spanId: 'b'.repeat(16), traceFlags: 1 }), attributes },
  { requiredKeys: ['context'] },
);
const status = fc.record({
  code: fc.constantFrom(SpanStatusCode.UNSET, SpanStatusCode.OK, SpanStatusCode.ERROR),
  message: text,
});
type Deed = (span: Span) => unknown;
const deed: fc.Arbitrary<Deed> = fc.oneof(
  attributes.map(
    (given): Deed =>
      (span) =>
        span.setAttributes(given),
  ),
  fc.tuple(text, time).map(
    ([name, at]): Deed =>
      (span) =>
        span.addEvent(name, at),
  ),
  fc.tuple(text, attributes, time).map(
    (given): Deed =>
      (span) =>
        span.addEvent(...given),
  ),
  fc.array(link, { maxLength: 3 }).map(
    (given): Deed =>
      (span) =>
        span.addLinks(given),
  ),
  status.map(
    (given): Deed =>
      (span) =>
        span.setStatus(given),
  ),
  text.map(
    (name): Deed =>
      (span) =>
        span.updateName(name),
  ),
  time.map(
    (at): Deed =>
      (span) =>
        void span.end(at),
  ),
);
const spanPlan = fc.record({
  name: text,
  parent: fc.constantFrom('none', 'remote', 'former'),
  options: fc.record({
    kind: fc.constantFrom(SpanKind.INTERNAL, SpanKind.SERVER),
    startTime: time,
    attributes,
    links: fc.array(link, { maxLength: 3 }),
    root: fc.boolean(),
  }),
  deeds: fc.array(deed, { maxLength: 8 }),
});
const limit = fc.constantFrom(0, 1, 2, 128);
const someLimits = fc.record({
  attributes: limit,
  valueLength: fc.constantFrom(4, Infinity),
  events: limit,
  links: limit,
});
const REMOTE = { traceId: '7'.repeat(32), spanId: '8'.repeat(16), traceFlags: 1, isRemote: true };

describe('the provider of tracers', () => {
  it('records of the same calls what the SDK records, to the byte of the export', () => {
    fc.assert(
      fc.property(someLimits, fc.array(spanPlan, { maxLength: 6 }), (limits, plans) => {
        const [expected, found] = [sdk(limits), own(limits)].map(({ provider, ended }) => {
          let former: Span | undefined;
          for (const { name, parent, options, deeds } of plans) {
            const parentContext = {
              none: ROOT_CONTEXT,
              remote: trace.setSpanContext(ROOT_CONTEXT, REMOTE),
              former: former ? trace.setSpan(ROOT_CONTEXT, former) : ROOT_CONTEXT,
            }[parent];
            const span = provider.getTracer('test', '1').startSpan(name, options, parentContext);
            for (const act of deeds) act(span);
            span.end(NOW + 20_000);
            former = span;
          }
          return Buffer.from(createSpanEncoder()(ended)).toString('hex');
        });
        expect(found).toBe(expected);
      }),
      { numRuns: 1000 },
    );
  });

  it('gives a step its place within the span above it, to less than a millisecond', () => {
    const { provider, ended } = own(NO_LIMITS);
    const tracer = provider.getTracer('test');
    const outer = tracer.startSpan('outer', {}, trace.setSpanContext(ROOT_CONTEXT, REMOTE));
    const parentContext = trace.setSpan(ROOT_CONTEXT, outer);
    for (const name of ['first', 'second']) tracer.startSpan(name, {}, parentContext).end();
    outer.end();
    const [first, second, whole] = ended.map(({ startTime, endTime }) =>
      [startTime, endTime].map(nanoseconds),
    );
    const inOrder = [whole?.[0], first?.[0], first?.[1], second?.[0], second?.[1], whole?.[1]] as bigint[];
    expect(inOrder).toEqual([...inOrder].sort((one, other) => Number(one - other)));
    expect(new Set(inOrder).size).toBeGreaterThan(2);
    expect(Math.abs(Number(BigInt(Date.now()) * 1_000_000n - (inOrder[0] as bigint)))).toBeLessThan(60e9);
  });

  it('runs what is given to startActiveSpan, in whichever form, with its span', () => {
    const { provider } = own(NO_LIMITS);
    const tracer = provider.getTracer('test');
    const idOf = (span: Span) => span.spanContext().traceId;
    const remote = trace.setSpanContext(ROOT_CONTEXT, REMOTE);
    expect(tracer.startActiveSpan('x', idOf)).toMatch(/^[0-9a-f]{32}$/);
    expect(tracer.startActiveSpan('x', {}, idOf)).toMatch(/^[0-9a-f]{32}$/);
    expect(tracer.startActiveSpan('x', {}, remote, idOf)).toBe(REMOTE.traceId);
  });

  it('takes its limits from the standard variables, those of spans before those of all signals', () => {
    expect(
      spanLimitsIn({ OTEL_ATTRIBUTE_COUNT_LIMIT: '5', OTEL_ATTRIBUTE_VALUE_LENGTH_LIMIT: ' 6 ' }),
    ).toEqual({
      ...NO_LIMITS,
      ...{ attributes: 5, valueLength: 6 },
    });
    expect(
      spanLimitsIn({
        ...{ OTEL_SPAN_ATTRIBUTE_COUNT_LIMIT: '1', OTEL_SPAN_ATTRIBUTE_VALUE_LENGTH_LIMIT: '2' },
        ...{ OTEL_SPAN_EVENT_COUNT_LIMIT: '3', OTEL_SPAN_LINK_COUNT_LIMIT: '4' },
        ...{ OTEL_ATTRIBUTE_COUNT_LIMIT: '5', OTEL_ATTRIBUTE_VALUE_LENGTH_LIMIT: '6' },
      }),
    ).toEqual({ attributes: 1, valueLength: 2, events: 3, links: 4 });
    expect(NO_LIMITS).toEqual({ attributes: 128, valueLength: Infinity, events: 128, links: 128 });
  });
});

function nanoseconds([seconds, rest]: HrTime): bigint {
  return BigInt(seconds) * 1_000_000_000n + BigInt(rest);
}

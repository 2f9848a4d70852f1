import { describe, expect, it } from '@jest/globals';
import { createTraceState, SpanKind, SpanStatusCode } from '@opentelemetry/api';
import { ProtobufTraceSerializer } from '@opentelemetry/otlp-transformer';
import { resourceFromAttributes } from '@opentelemetry/resources';
import type { ReadableSpan } from '@opentelemetry/sdk-trace';
import fc from 'fast-check';
import { createSpanEncoder } from './encode-spans.ts';

const hex = (digits: number) =>
  fc
    .uint8Array({ minLength: digits / 2, maxLength: digits / 2 })
    .map((bytes) => Buffer.from(bytes).toString('hex'));
const text = fc.oneof(
  fc.string({ unit: 'grapheme' }),
  fc.string({ minLength: 100, maxLength: 300, unit: 'binary' }),
);
const number = fc.oneof(
  fc.integer(),
  fc.maxSafeInteger(),
  fc.double(),
  fc.constantFrom(2 ** 60, -(2 ** 63), 2 ** 63),
);
const plain = fc.oneof(text, number, fc.boolean());
const value = fc.oneof(
  plain,
  fc.array(plain),
  fc.uint8Array(),
  fc.dictionary(text, plain),
  fc.constant(null),
);
const attributes = fc.dictionary(text, value, { maxKeys: 12 });
const time = fc.tuple(fc.integer({ min: 0, max: 2 ** 32 }), fc.integer({ min: 0, max: 999_999_999 }));
const count = fc.nat(300);
const context = fc.record({
  traceId: hex(32),
  spanId: hex(16),
  traceFlags: fc.constantFrom(0, 1),
  isRemote: fc.boolean(),
  traceState: fc.constantFrom(undefined, createTraceState('vendor=1,other=two')),
});
const resources = [{}, { 'service.name': 'callpass', 'service.instance.id': 'x'.repeat(200) }].map((own) =>
  resourceFromAttributes(own),
);
const scopes = [
  { name: 'callpass' },
  { name: 'other', version: '1.2.3', schemaUrl: 'https://schema.example/1' },
];
const span = fc
  .record({
    name: text,
    kind: fc.constantFrom(SpanKind.INTERNAL, SpanKind.SERVER, SpanKind.CLIENT),
    own: context,
    parentSpanContext: fc.option(context, { nil: undefined }),
    startTime: time,
    endTime: time,
    status: fc.record({
      code: fc.constantFrom(SpanStatusCode.UNSET, SpanStatusCode.ERROR),
      message: fc.option(text, { nil: undefined }),
    }),
    attributes,
    links: fc.array(fc.record({ context, attributes: fc.option(attributes, { nil: undefined }) }), {
      maxLength: 3,
    }),
    events: fc.array(fc.record({ name: text, time, attributes: fc.option(attributes, { nil: undefined }) }), {
      maxLength: 3,
    }),
    resource: fc.constantFrom(...resources),
    instrumentationScope: fc.constantFrom(...scopes),
    droppedAttributesCount: count,
    droppedEventsCount: count,
    droppedLinksCount: count,
  })
  .map(({ own, ...rest }) => ({ ...rest, spanContext: () => own }) as unknown as ReadableSpan);

describe('the encoder of spans', () => {
  it('writes what the SDK writes, byte for byte, so that no collector sees a difference', () => {
    const encode = createSpanEncoder();
    fc.assert(
      fc.property(fc.array(span, { maxLength: 20 }), (spans) => {
        const expected = Buffer.from(ProtobufTraceSerializer.serializeRequest(spans) as Uint8Array);
        expect(Buffer.from(encode(spans)).equals(expected)).toBe(true);
      }),
    );
  });

  it('writes more than its first buffer holds', () => {
    const [example] = fc.sample(span, { numRuns: 1, seed: 1 });
    const spans = Array.from({ length: 5000 }, () => example as ReadableSpan);
    const expected = Buffer.from(ProtobufTraceSerializer.serializeRequest(spans) as Uint8Array);
    expect(Buffer.from(createSpanEncoder()(spans)).equals(expected)).toBe(true);
  });

  it('loses nothing where the buffer is too small at any place of a message', () => {
    const [example] = fc.sample(span, { numRuns: 1, seed: 1 }) as [ReadableSpan];
    for (let missing = 0; missing < 400; missing++) {
      const long = {
        ...example,
        spanContext: example.spanContext,
        attributes: { a: 'x'.repeat(65_536 - missing), b: [new Uint8Array(1)] },
      };
      const spans = [long, example] as ReadableSpan[];
      const expected = Buffer.from(ProtobufTraceSerializer.serializeRequest(spans) as Uint8Array);
      expect(Buffer.from(createSpanEncoder()(spans)).equals(expected)).toBe(true);
    }
  });
});

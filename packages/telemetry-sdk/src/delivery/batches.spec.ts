import { expect, it } from '@jest/globals';
import type { ExportResult } from '@opentelemetry/core';
import { TracerProvider, type ReadableSpan, type SpanExporter } from '@opentelemetry/sdk-trace';
import { createSpanProcessor } from './batches.ts';
import { Delivery } from './delivery.ts';

it('no span leaves the count: each is delivered, in the queue, or counted as lost', async () => {
  const delivery = new Delivery([{ signal: 'traces', place: 'x' }]);
  let dropped = 0;
  delivery.dropped = () => void dropped++;
  const stuck: ((result: ExportResult) => void)[] = [];
  let taken = 0;
  const collector: SpanExporter = {
    export(spans: ReadableSpan[], done: (result: ExportResult) => void) {
      taken += spans.length;
      stuck.push(done);
    },
    shutdown: () => Promise.resolve(),
  };
  const processor = createSpanProcessor(collector, delivery, {
    OTEL_BSP_MAX_QUEUE_SIZE: '20',
    OTEL_BSP_MAX_EXPORT_BATCH_SIZE: '10',
  });
  const provider = new TracerProvider({ spanProcessors: [processor] });
  const tracer = provider.getTracer('test');
  // The first ten go to the collector, which does not answer; twenty wait; the rest finds no place.
  for (let index = 0; index < 100; index++) tracer.startSpan('x').end();
  expect({ taken, dropped }).toEqual({ taken: 10, dropped: 70 });
  const end = provider.shutdown();
  while (taken < 30) await new Promise((resolve) => setImmediate(resolve));
  for (const done of stuck) done({ code: 0 });
  await end;
  expect({ taken, dropped }).toEqual({ taken: 30, dropped: 70 });
});

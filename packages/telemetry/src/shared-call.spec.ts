import { afterEach, beforeEach, expect, it } from '@jest/globals';
import { SpanStatusCode, trace } from '@opentelemetry/api';
import { startCoalescedSpan, withSharedCall } from './shared-call.ts';
import { withSpan } from './span.ts';
import { startRecordingSdk, type RecordingSdk } from './testing/recording-sdk.ts';

let sdk: RecordingSdk;
beforeEach(() => {
  sdk = startRecordingSdk(1);
});
afterEach(() => sdk.stop());

const request = () => withSpan('callpass.test.request', () => startCoalescedSpan());

it('one span stands for the RPC that two requests share, linked with the span of each, both ways', async () => {
  const requests = [request(), undefined, request()];
  await withSharedCall(requests, () => withSpan('callpass.test.rpc', () => Promise.resolve()));
  for (const each of requests) each?.end();

  const spans = await sdk.spans();
  const named = (wanted: string) => spans.filter(({ name }) => name === wanted);
  const [shared, ...more] = named('callpass.request.share');
  const waits = named('callpass.request.coalesce');
  const ids = (links: { context: { spanId: string } }[] | undefined) =>
    links?.map(({ context }) => context.spanId);
  expect(more).toEqual([]);
  expect(ids(shared?.links)).toEqual(waits.map((span) => span.spanContext().spanId));
  for (const wait of waits) expect(ids(wait.links)).toEqual([shared?.spanContext().spanId]);
  expect(shared?.parentSpanContext?.spanId).toBe(waits[0]?.spanContext().spanId);
  expect(named('callpass.test.rpc')[0]?.parentSpanContext?.spanId).toBe(shared?.spanContext().spanId);
});

it('a fault marks the spans that it concerns, a refusal none', async () => {
  const failing = request();
  const refused = request();
  const fault = Object.assign(new Error('away'), { code: 14 });
  await expect(withSharedCall([failing, refused], () => Promise.reject(fault))).rejects.toBe(fault);
  failing?.end(fault);
  refused?.end(Object.assign(new Error('frozen'), { code: 9 }));
  const marked = (await sdk.spans()).filter(({ status }) => status.code === SpanStatusCode.ERROR);
  expect(marked.map(({ name }) => name).sort()).toEqual([
    'callpass.request.coalesce',
    'callpass.request.share',
  ]);
});

it('an RPC that no recorded request shares is in the trace of none', async () => {
  expect(startCoalescedSpan()).toBeUndefined();
  const active = await withSpan('callpass.test.other', () =>
    withSharedCall([undefined], () => Promise.resolve(trace.getActiveSpan())),
  );
  expect(active).toBeUndefined();
});

import { afterAll, beforeAll, expect, it } from '@jest/globals';
import { startOtlpReceiver, type OtlpReceiver } from '@callpass/otlp-receiver';
import { traceView } from './traces.ts';

const TRACE = '0af7651916cd43dd8448eb211c80319c';
const BEGIN = 1_767_225_600_000_000_000n;

let receiver: OtlpReceiver;
beforeAll(async () => {
  receiver = await startOtlpReceiver();
});
afterAll(() => receiver.close());

const span = (
  spanId: string,
  parentSpanId: string | undefined,
  startMs: number,
  attributes: object[] = [],
) => ({
  traceId: TRACE,
  spanId,
  parentSpanId,
  name: `span ${spanId}`,
  kind: 2,
  startTimeUnixNano: String(BEGIN + BigInt(startMs * 1_000_000)),
  endTimeUnixNano: String(BEGIN + BigInt((startMs + 2) * 1_000_000)),
  attributes,
});

it('shows a trace in the order of its spans, with times from its start, whatever order they came in', async () => {
  const big = { key: 'big', value: { arrayValue: { values: [{ intValue: '9007199254740993' }] } } };
  const request = {
    resourceSpans: [
      {
        resource: { attributes: [{ key: 'service.name', value: { stringValue: 'callpass-server' } }] },
        scopeSpans: [{ spans: [span('00000000000000b2', '00000000000000a1', 3.25, [big])] }],
      },
      {
        scopeSpans: [
          {
            spans: [
              span('00000000000000a1', undefined, 0),
              { ...span('00000000000000c3', undefined, 1), traceId: 'f'.repeat(32) },
            ],
          },
        ],
      },
    ],
  };
  await fetch(`${receiver.url}/v1/traces`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(request),
  });
  const view = traceView(receiver, TRACE);
  expect(view.spans).toMatchObject([
    { spanId: '00000000000000a1', parentSpanId: null, service: 'unknown', startMs: 0, durationMs: 2 },
    {
      spanId: '00000000000000b2',
      parentSpanId: '00000000000000a1',
      service: 'callpass-server',
      startMs: 3.25,
      kind: 'SERVER',
    },
  ]);
  expect(() => JSON.stringify(view)).not.toThrow();
});

it('of a trace that has not arrived there are no spans', () => {
  expect(traceView(receiver, '1'.repeat(32))).toEqual({ traceId: '1'.repeat(32), spans: [] });
});

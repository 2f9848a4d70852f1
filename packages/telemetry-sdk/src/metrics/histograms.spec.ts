import { afterEach, describe, expect, it } from '@jest/globals';
import type { Attributes, MeterProvider as Provider } from '@opentelemetry/api';
import { hrTimeToMilliseconds } from '@opentelemetry/core';
import {
  AggregationTemporality,
  AggregationType,
  DataPointType,
  MeterProvider,
  type PushMetricExporter,
  type ResourceMetrics,
} from '@opentelemetry/sdk-metrics';
import fc from 'fast-check';
import { ScrapeReader } from '../scrape.ts';
import { Histograms, takesOwnHistograms, withHistograms } from './histograms.ts';

const providers: MeterProvider[] = [];
afterEach(async () => {
  for (const provider of providers.splice(0)) await provider.shutdown();
});

/** Collects after some work, with histograms of the SDK and with ours: as Prometheus scrapes it, and as a collector gets it. */
async function collected(work: (provider: Provider) => void) {
  const collect = async (histograms?: Histograms) => {
    const reader = new ScrapeReader(histograms && [histograms]);
    const provider = new MeterProvider({ readers: [reader] });
    providers.push(provider);
    work(histograms ? withHistograms(provider, histograms) : provider);
    const { resourceMetrics } = await reader.collect();
    return { text: (await reader.text()).split('\n').sort(), data: histogramsIn(resourceMetrics) };
  };
  return { sdk: await collect(), own: await collect(new Histograms()) };
}

/** The histograms that a collector gets, without their times. */
function histogramsIn({ scopeMetrics }: ResourceMetrics) {
  return scopeMetrics.flatMap(({ scope, metrics }) =>
    metrics
      .filter(({ dataPointType }) => dataPointType === DataPointType.HISTOGRAM)
      .map(({ descriptor, dataPoints, ...metric }) => ({
        ...metric,
        scope: { name: scope.name, version: scope.version || undefined },
        descriptor: { ...descriptor, type: undefined, advice: undefined },
        points: dataPoints.map(({ attributes, value }) => ({ attributes, value })),
      })),
  );
}

const BOUNDARIES = [0.005, 0.01, 0.1, 1];
const value = fc.oneof(fc.constantFrom(...BOUNDARIES, 0, -1), fc.double({ min: 0, max: 2, noNaN: true }));
const attributes: fc.Arbitrary<Attributes> = fc.oneof(
  fc.constantFrom(
    Object.freeze({ method: 'a', code: 1 }),
    Object.freeze({ code: 1, method: 'a' }),
    Object.freeze({ method: 'b' }),
  ),
  fc.record({ method: fc.constantFrom('a', 'b'), ok: fc.boolean() }, { requiredKeys: [] }),
);

describe('histograms', () => {
  it('export what those of the SDK do', async () => {
    const points = fc.array(fc.tuple(value, attributes), { maxLength: 40 });
    await fc.assert(
      fc.asyncProperty(points, async (recorded) => {
        const { sdk, own } = await collected((provider) => {
          const meter = provider.getMeter('scope', '1.0.0');
          const advice = { explicitBucketBoundaries: BOUNDARIES };
          const options = { unit: 's', description: 'Time that it takes.', advice };
          const [first, again] = [meter.createHistogram('d', options), meter.createHistogram('d', options)];
          for (const [index, [each, of]] of recorded.entries()) (index % 2 ? first : again).record(each, of);
          meter.createCounter('c').add(3, { kind: 'x' });
        });
        expect(own).toEqual(sdk);
      }),
      { numRuns: 150 },
    );
  });

  it('without boundaries, options or attributes have those of the SDK', async () => {
    const { sdk, own } = await collected((provider) => {
      const histogram = provider.getMeter('scope').createHistogram('d');
      for (const each of [0, 3, 5, 9999, 1e6]) histogram.record(each);
    });
    expect(own).toEqual(sdk);
  });

  it('ignore what is no number', async () => {
    const { own } = await collected((provider) =>
      provider.getMeter('scope').createHistogram('d').record(NaN),
    );
    expect(own.data).toEqual([]);
  });

  it('have as many series as those of the SDK, and one for all others', async () => {
    const { sdk, own } = await collected((provider) => {
      const histogram = provider.getMeter('scope').createHistogram('d');
      for (let index = 0; index < 2500; index++) histogram.record(1, { index });
    });
    expect(own).toEqual(sdk);
    expect(own.text).toContain('d_count{otel_metric_overflow="true"} 501');
  });

  it('take a set of attributes as it was when the point was recorded', async () => {
    const { own } = await collected((provider) => {
      const histogram = provider.getMeter('scope').createHistogram('d');
      const changing: Attributes = { method: 'a' };
      histogram.record(1, changing);
      changing['method'] = 'b';
      histogram.record(1, changing);
    });
    expect(own.text).toContain('d_count{method="a"} 1');
    expect(own.text).toContain('d_count{method="b"} 1');
  });
});

it('have times by the wall clock, as other points do', async () => {
  const histograms = new Histograms();
  const before = Date.now();
  histograms.create({ name: 'scope' }, 'd').record(1);
  const { resourceMetrics } = await histograms.collect();
  const [point] = resourceMetrics.scopeMetrics[0]?.metrics[0]?.dataPoints ?? [];
  for (const time of [point?.startTime, point?.endTime]) {
    const ms = hrTimeToMilliseconds(time ?? [0, 0]);
    expect(ms).toBeGreaterThanOrEqual(before);
    expect(ms).toBeLessThanOrEqual(Date.now());
  }
});

it.each<[string, AggregationTemporality, AggregationType, boolean]>([
  ['cumulative points', AggregationTemporality.CUMULATIVE, AggregationType.DEFAULT, true],
  ['points since the last export', AggregationTemporality.DELTA, AggregationType.DEFAULT, false],
  ['exponential buckets', AggregationTemporality.CUMULATIVE, AggregationType.EXPONENTIAL_HISTOGRAM, false],
])('an exporter that asks for %s', (_what, temporality, type, expected) => {
  const exporter = {
    selectAggregationTemporality: () => temporality,
    selectAggregation: () => ({ type }),
  } as unknown as PushMetricExporter;
  expect(takesOwnHistograms(exporter)).toBe(expected);
});

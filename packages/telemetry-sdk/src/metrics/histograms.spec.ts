import { afterEach, describe, expect, it } from '@jest/globals';
import type { Attributes, MeterProvider as Provider } from '@opentelemetry/api';
import {
  AggregationTemporality,
  AggregationType,
  MeterProvider,
  type PushMetricExporter,
} from '@opentelemetry/sdk-metrics';
import fc from 'fast-check';
import { ScrapeReader } from '../scrape.ts';
import { Histograms, takesOwnHistograms, withHistograms } from './histograms.ts';

const providers: MeterProvider[] = [];
afterEach(async () => {
  for (const provider of providers.splice(0)) await provider.shutdown();
});

/** Scrapes after some work, with histograms of the SDK and with ours. */
async function scraped(work: (provider: Provider) => void): Promise<{ sdk: string; own: string }> {
  const scrape = async (histograms?: Histograms) => {
    const reader = new ScrapeReader(histograms && [histograms]);
    const provider = new MeterProvider({ readers: [reader] });
    providers.push(provider);
    work(histograms ? withHistograms(provider, histograms) : provider);
    return reader.text();
  };
  return { sdk: await scrape(), own: await scrape(new Histograms()) };
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
        const { sdk, own } = await scraped((provider) => {
          const meter = provider.getMeter('scope', '1.0.0');
          const advice = { explicitBucketBoundaries: BOUNDARIES };
          const options = { unit: 's', description: 'Time that it takes.', advice };
          const [first, again] = [meter.createHistogram('d', options), meter.createHistogram('d', options)];
          for (const [index, [each, of]] of recorded.entries()) (index % 2 ? first : again).record(each, of);
          meter.createCounter('c').add(3, { kind: 'x' });
        });
        expect(own.split('\n').sort()).toEqual(sdk.split('\n').sort());
      }),
      { numRuns: 150 },
    );
  });

  it('without boundaries, options or attributes have those of the SDK', async () => {
    const { sdk, own } = await scraped((provider) => {
      const histogram = provider.getMeter('scope').createHistogram('d');
      for (const each of [0, 3, 5, 9999, 1e6]) histogram.record(each);
    });
    expect(own.split('\n').sort()).toEqual(sdk.split('\n').sort());
  });

  it('ignore what is no number', async () => {
    const { own } = await scraped((provider) => provider.getMeter('scope').createHistogram('d').record(NaN));
    expect(own).not.toContain('d_count');
  });

  it('have as many series as those of the SDK, and one for all others', async () => {
    const { sdk, own } = await scraped((provider) => {
      const histogram = provider.getMeter('scope').createHistogram('d');
      for (let index = 0; index < 2500; index++) histogram.record(1, { index });
    });
    expect(own.split('\n').sort()).toEqual(sdk.split('\n').sort());
    expect(own).toContain('d_count{otel_metric_overflow="true"} 501');
  });

  it('take a set of attributes as it was when the point was recorded', async () => {
    const { sdk, own } = await scraped((provider) => {
      const histogram = provider.getMeter('scope').createHistogram('d');
      const changing: Attributes = { method: 'a' };
      histogram.record(1, changing);
      changing['method'] = 'b';
      histogram.record(1, changing);
    });
    expect(own).toContain('d_count{method="a"} 1');
    expect(own).toContain('d_count{method="b"} 1');
    expect(sdk).toContain('d_count{method="b"}');
  });
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

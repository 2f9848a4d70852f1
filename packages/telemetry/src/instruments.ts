import {
  metrics,
  ValueType,
  type Attributes,
  type Histogram,
  type Meter,
  type MeterProvider,
} from '@opentelemetry/api';
import { LABEL_OTHER } from './label-values.ts';
import type { MetricRow } from './metric-table.ts';
import { SCOPE_NAME } from './names.ts';

/**
 * Limit on the label sets of one counter. More are counted as {@link LABEL_OTHER}, so that a large configuration cannot
 * increase the number of time series further. The limit of the SDK is 2,000.
 */
const MAX_CELLS = 1000;

/** Time series of a counter. Adding to it is one addition, cheap enough for every request. */
export interface Cell {
  add(count?: number): void;
}

/** Finds the time series for label values, in the order of the table. */
export type Tally = (...values: readonly string[]) => Cell;

/** Point of a gauge: its value and the label values, in the order of the table. */
export type Reading = readonly [value: number, ...labels: readonly string[]];

/** Creates instruments from rows of `METRICS`, which define name, unit and labels. */
export interface Instruments {
  counter(row: MetricRow): Tally;
  /** Creates a gauge. `read` runs at each collection; if it throws, the collection leaves the metric out. */
  gauge(row: MetricRow, read: () => Iterable<Reading> | number | undefined): void;
  /** Creates a counter for a total that is kept elsewhere; `read` as for a gauge. */
  total(row: MetricRow, read: () => Iterable<Reading>): void;
  histogram(row: MetricRow): Histogram;
}

/** Creates instruments of a meter provider. Default: the global one at the time of the call, so start the SDK first. */
export function createInstruments(provider: MeterProvider = metrics.getMeterProvider()): Instruments {
  const meter = provider.getMeter(SCOPE_NAME);
  return {
    counter: (row) => createTally(meter, row),
    gauge(row, read) {
      meter.createObservableGauge(row.name, optionsOf(row)).addCallback((result) => {
        const readings = read();
        if (typeof readings === 'number') result.observe(readings);
        else for (const [value, ...labels] of readings ?? []) result.observe(value, labelsOf(row, labels));
      });
    },
    total(row, read) {
      meter.createObservableCounter(row.name, optionsOf(row)).addCallback((result) => {
        for (const [value, ...labels] of read()) result.observe(value, labelsOf(row, labels));
      });
    },
    histogram: (row) => createHistogram(meter, row),
  };
}

/** Creates the histogram of a row. */
export function createHistogram(meter: Meter, row: MetricRow): Histogram {
  return meter.createHistogram(row.name, {
    ...optionsOf(row),
    advice: { explicitBucketBoundaries: [...(row.boundaries ?? [])] },
  });
}

/**
 * Creates a counter that keeps its own numbers and reports them at collection. The SDK would sort and serialize the labels at
 * each addition.
 */
function createTally(meter: Meter, row: MetricRow): Tally {
  const cells = new Map<string, { count: number; labels: Attributes; add(count?: number): void }>();
  const create = (values: readonly string[]) => ({
    count: 0,
    labels: labelsOf(row, values),
    add(count = 1) {
      this.count += count;
    },
  });
  const other = create(row.labels.map(() => LABEL_OTHER));
  meter.createObservableCounter(row.name, optionsOf(row)).addCallback((result) => {
    for (const { count, labels } of cells.values()) result.observe(count, labels);
    if (other.count > 0) result.observe(other.count, other.labels);
  });
  return (...values) => {
    const key = values.length === 1 ? (values[0] as string) : values.join('\0');
    const known = cells.get(key);
    if (known !== undefined) return known;
    if (cells.size >= MAX_CELLS) return other;
    const cell = create(values);
    cells.set(key, cell);
    return cell;
  };
}

function labelsOf({ labels }: MetricRow, values: readonly string[]): Attributes {
  return Object.fromEntries(labels.map((label, index) => [label, values[index] ?? LABEL_OTHER]));
}

function optionsOf({ unit, description }: MetricRow) {
  return { unit, description, valueType: ValueType.DOUBLE };
}

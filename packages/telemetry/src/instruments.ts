import {
  metrics,
  ValueType,
  type Attributes,
  type Histogram,
  type Meter,
  type MeterProvider,
} from '@opentelemetry/api';
import { LABEL_OTHER, type MetricRow } from './metric-table.ts';
import { SCOPE_NAME } from './names.ts';

/**
 * Label sets of one counter, at most; the rest are counted as {@link LABEL_OTHER}, so that no configuration, however
 * large, drives up the number of time series. The SDK's own bound is 2,000.
 */
const MAX_CELLS = 1000;

/** One time series of a counter. Adding to it is adding to a number: fit for every request. */
export interface Cell {
  add(count?: number): void;
}

/** Finds the cell for the values of a metric's labels, in the order of the table. */
export type Tally = (...values: readonly string[]) => Cell;

/** One point of a gauge: its value and those of the labels, in the order of the table. */
export type Reading = readonly [value: number, ...labels: readonly string[]];

/** Makes instruments from rows of `METRICS`, so that none has another name, unit or label than the table says. */
export interface Instruments {
  counter(row: MetricRow): Tally;
  /** Asked at each collection. Whatever it throws leaves the metric out this time. */
  gauge(row: MetricRow, read: () => Iterable<Reading> | number | undefined): void;
  /** As a gauge, for a total that somebody else keeps. */
  total(row: MetricRow, read: () => Iterable<Reading>): void;
  histogram(row: MetricRow): Histogram;
}

/** Instruments of a meter provider, by default the global one at this time: start the SDK first. */
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

/** The histogram of a row. */
export function createHistogram(meter: Meter, row: MetricRow): Histogram {
  return meter.createHistogram(row.name, {
    ...optionsOf(row),
    advice: { explicitBucketBoundaries: [...(row.boundaries ?? [])] },
  });
}

/**
 * A counter that keeps its own numbers and hands them over when they are collected: the SDK would sort and write out the
 * labels at each addition.
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

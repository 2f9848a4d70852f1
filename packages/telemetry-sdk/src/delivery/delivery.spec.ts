import { createInstruments } from '@callpass/telemetry';
import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import type { ExportResult } from '@opentelemetry/core';
import { MeterProvider } from '@opentelemetry/sdk-metrics';
import { ScrapeReader } from '../scrape.ts';
import { Delivery } from './delivery.ts';

const HOUR_MS = 3_600_000;
const PLACE = 'http/protobuf to http://collector:4318/v1/traces';
const OK: ExportResult = { code: 0 };
const AWAY: ExportResult = { code: 1, error: new Error('connect ECONNREFUSED 192.0.2.1:4318') };

describe('the delivery of telemetry', () => {
  let nowMs: number;
  let answer: ExportResult;
  let lines: (readonly [level: string, fields: Record<string, unknown>, message: string])[];
  let delivery: Delivery;
  let exportSpans: (count: number) => void;
  beforeEach(() => {
    jest.useFakeTimers();
    [nowMs, answer, lines] = [1000, OK, []];
    delivery = new Delivery([{ signal: 'traces', place: PLACE }], [], () => nowMs);
    const exporter = delivery.count(
      'traces',
      { export: (_spans: readonly string[], done: (result: ExportResult) => void) => done(answer) },
      (spans: readonly string[]) => spans.length,
    );
    exportSpans = (count) => exporter.export(Array.from({ length: count }, String), () => undefined);
  });
  afterEach(() => {
    delivery.stop();
    jest.useRealTimers();
  });

  const follow = () =>
    delivery.follow({
      info: (fields, message) => void lines.push(['info', fields as never, message]),
      warn: (fields, message) => void lines.push(['warn', fields as never, message]),
    });
  async function metrics(): Promise<Record<string, number>> {
    const reader = new ScrapeReader();
    const provider = new MeterProvider({ readers: [reader] });
    delivery.measure(createInstruments(provider));
    const text = await reader.text();
    await provider.shutdown();
    return Object.fromEntries(
      [...text.matchAll(/^(callpass_telemetry_\S+) (\d+)$/gm)].map(([, name = '', value]) => [
        name.replaceAll('callpass_telemetry_', ''),
        Number(value),
      ]),
    );
  }

  it('says once that telemetry is lost, again every hour with the numbers, and when it is delivered again', () => {
    follow();
    answer = AWAY;
    for (let index = 0; index < 100; index++) exportSpans(10);
    expect(lines).toEqual([
      [
        'warn',
        { export: PLACE, failedExports: 1, lost: 10, cause: 'connect ECONNREFUSED 192.0.2.1:4318' },
        expect.stringContaining('telemetry is lost'),
      ],
    ]);
    nowMs += HOUR_MS;
    exportSpans(10);
    expect(lines.at(-1)).toMatchObject(['warn', { failedExports: 101, lost: 1010 }, expect.anything()]);
    answer = OK;
    exportSpans(10);
    exportSpans(10);
    expect(lines).toHaveLength(3);
    expect(lines.at(-1)).toMatchObject(['info', { lost: 1010 }, 'telemetry is delivered again']);
    answer = AWAY;
    exportSpans(10);
    expect(lines).toHaveLength(3);
  });

  it('keeps for the log what has failed before there was one', () => {
    answer = AWAY;
    exportSpans(1);
    follow();
    expect(lines).toHaveLength(1);
  });

  it('counts in the metrics, with a value before the first loss', async () => {
    expect(await metrics()).toEqual({
      'lost_total{signal="traces",loss="queue_full"}': 0,
      'lost_total{signal="traces",loss="export_failed"}': 0,
      'exports_failed_total{signal="traces"}': 0,
      'delivered{signal="traces"}': 1,
    });
    answer = AWAY;
    exportSpans(10);
    delivery.dropped('traces');
    expect(await metrics()).toEqual({
      'lost_total{signal="traces",loss="queue_full"}': 1,
      'lost_total{signal="traces",loss="export_failed"}': 10,
      'exports_failed_total{signal="traces"}': 1,
      'delivered{signal="traces"}': 0,
    });
  });

  it('a collector that cannot be reached is a failure before an export has failed, and none as soon as it can', async () => {
    follow();
    delivery.noteConnection('traces', 'ECONNREFUSED');
    expect(await metrics()).toMatchObject({ 'delivered{signal="traces"}': 0 });
    expect(lines.at(-1)).toMatchObject(['warn', { cause: 'ECONNREFUSED' }, expect.anything()]);
    delivery.noteConnection('traces', undefined);
    expect(await metrics()).toMatchObject({ 'delivered{signal="traces"}': 1 });
    expect(lines.at(-1)).toMatchObject(['info', {}, 'telemetry is delivered again']);
  });

  it('a connection alone does not heal exports that fail; without another export they do not fail for ever', async () => {
    answer = AWAY;
    exportSpans(1);
    delivery.noteConnection('traces', undefined);
    expect(await metrics()).toMatchObject({ 'delivered{signal="traces"}': 0 });
    nowMs += 300_000;
    expect(await metrics()).toMatchObject({ 'delivered{signal="traces"}': 1 });
  });

  it('says which variables are ignored at once and every hour, with the values that they may have', () => {
    delivery = new Delivery([], [{ variable: 'OTEL_TRACES_SAMPLER', allowed: 'always_on' }]);
    follow();
    jest.advanceTimersByTime(HOUR_MS);
    expect(lines).toHaveLength(2);
    expect(lines[1]).toEqual([
      'warn',
      { variable: 'OTEL_TRACES_SAMPLER', allowed: 'always_on' },
      'OTEL_TRACES_SAMPLER has a value that is not known; it is ignored',
    ]);
  });
});

import { describe, expect, it } from '@jest/globals';
import { otlpExport } from './browser-span.ts';
import { newTrace, traceparent } from './trace-context.ts';
import { waterfall, type Span } from './waterfall.ts';

const span = (spanId: string, parentSpanId: string | null, startMs: number, durationMs: number): Span => ({
  spanId,
  parentSpanId,
  service: 's',
  name: spanId,
  startMs,
  durationMs,
});

describe('the trace context', () => {
  it('is what W3C Trace Context asks for, and new each time', () => {
    const trace = newTrace();
    expect(traceparent(trace)).toMatch(/^00-[0-9a-f]{32}-[0-9a-f]{16}-01$/);
    expect(newTrace().traceId).not.toBe(trace.traceId);
  });
});

describe('the export of the browser span', () => {
  it('keeps microseconds of a time that a double cannot hold in nanoseconds', () => {
    const startMs = 1_795_600_000_123.456;
    const json = JSON.stringify(
      otlpExport({ traceId: 'a', spanId: 'b', name: 'n', startMs, endMs: startMs + 1, failed: true }),
    );
    expect(json).toContain('"startTimeUnixNano":"1795600000123456000"');
    expect(json).toContain('"endTimeUnixNano":"1795600000124456000"');
    expect(json).toContain('"status":{"code":2}');
  });
});

describe('the waterfall', () => {
  it('puts children under their parents by time, whatever the order of arrival', () => {
    const rows = waterfall([
      span('commit', 'service', 60, 20),
      span('encrypt', 'service', 40, 10),
      span('browser', null, 0, 100),
      span('service', 'edge', 30, 60),
      span('edge', 'browser', 20, 75),
    ]);
    expect(rows.map((row) => [row.span.name, row.depth, row.start, row.share])).toEqual([
      ['browser', 0, 0, 1],
      ['edge', 1, 0.2, 0.75],
      ['service', 2, 0.3, 0.6],
      ['encrypt', 3, 0.4, 0.1],
      ['commit', 3, 0.6, 0.2],
    ]);
  });

  it('shows spans whose parent has not arrived, survives a ring, and takes an empty trace', () => {
    expect(waterfall([span('late', 'missing', 5, 0)])).toMatchObject([{ depth: 0, start: 0, share: 0 }]);
    expect(waterfall([span('a', 'b', 0, 1), span('b', 'a', 0, 1), span('c', null, 0, 1)])).toHaveLength(1);
    expect(waterfall([])).toEqual([]);
  });
});

import { describe, expect, it } from '@jest/globals';
import { traceIds } from './trace-ids.ts';

describe('traceIds', () => {
  it('gives ids of the lengths of W3C Trace Context, never one twice, over many pools', () => {
    const traces = Array.from({ length: 5000 }, () => traceIds.generateTraceId());
    const spans = Array.from({ length: 5000 }, () => traceIds.generateSpanId());
    expect(new Set(traces).size).toBe(5000);
    expect(new Set(spans).size).toBe(5000);
    for (const id of traces) expect(id).toMatch(/^[0-9a-f]{32}$/);
    for (const id of spans) expect(id).toMatch(/^[0-9a-f]{16}$/);
  });
});

import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { ErrorReasonSchema } from '@callpass/contract';
import { EdgeProblem, toProblem } from './problem.ts';
import { EDGE_REASONS, SERVICE_REASONS } from './reasons.ts';

const GUIDE = join(import.meta.dirname, '../../../../docs/guides/edge.md');

describe('the reasons', () => {
  it('have an HTTP status for each value of the contract, and none besides', () => {
    const names = ErrorReasonSchema.values
      .filter(({ number }) => number !== 0)
      .map(({ localName }) => localName);
    expect(Object.keys(SERVICE_REASONS).sort()).toEqual(names.sort());
  });

  it('of the edge itself are not called as those of the service are', () => {
    expect(Object.keys(EDGE_REASONS).filter((name) => Object.hasOwn(SERVICE_REASONS, name))).toEqual([]);
  });

  it('are never answered as success: the vendor’s page would call unrestricted', () => {
    for (const { status } of [...Object.values(SERVICE_REASONS), ...Object.values(EDGE_REASONS)]) {
      expect(status).toBeGreaterThanOrEqual(400);
      expect(status).toBeLessThan(600);
    }
  });

  it('have a title that says what to do next, without a word of a library', () => {
    for (const [reason, { title }] of Object.entries({ ...SERVICE_REASONS, ...EDGE_REASONS })) {
      expect([reason, title]).toEqual([reason, expect.stringMatching(/^[^;]{5,}; .{5,}$/)]);
      expect(title).not.toMatch(/grpc|fastify|ajv|http2|schema|regex|pattern|undefined/i);
    }
  });

  it('stand in the guide with their status, and none besides', () => {
    const page = readFileSync(GUIDE, 'utf8');
    const rows = [...page.matchAll(/^\| `([A-Z_]+)` +\| (\d{3}) /gm)].map(
      ([, name, status]) => `${name} ${status}`,
    );
    const all = Object.entries({ ...SERVICE_REASONS, ...EDGE_REASONS });
    expect(rows.sort()).toEqual(all.map(([name, { status }]) => `${name} ${status}`).sort());
  });
});

describe('toProblem', () => {
  it('takes anything that is thrown, and shows nothing of it', () => {
    for (const thrown of [new Error('canary'), 'canary', undefined, { statusCode: 200 }, null]) {
      const problem = toProblem(thrown);
      expect(problem.reason).toBe('EDGE_FAULT');
      expect(JSON.stringify(problem.body('t'))).not.toContain('canary');
    }
    expect(toProblem(new EdgeProblem('NOT_FOUND')).status).toBe(404);
  });
});

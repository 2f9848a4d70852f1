import { describe, expect, it } from '@jest/globals';
import { parseOptions, PARTS } from './options.ts';

const parse = (...args: string[]) => parseOptions(args, { jsonFile: 'bench.json' });

describe('parseOptions', () => {
  it('measures everything and only reports when nothing is said', () => {
    const found = { parts: [...PARTS], jsonFile: 'bench.json', writeReadme: false, check: false };
    expect(parse()).toMatchObject(found);
  });

  it('takes parts, files, rounds and durations', () => {
    const args = ['--only', 'batch', '--only', 'edge', '--json', 'x.json', '--check', '--write-readme'];
    expect(parse(...args, '--rounds', '4', '--seconds', '0.2')).toMatchObject({
      ...{ parts: ['batch', 'edge'], jsonFile: 'x.json', check: true, writeReadme: true },
      servers: { measured: 4, roundMs: 200 },
      latency: { measured: 4, durationMs: 200 },
    });
  });

  it('takes the latencies of all programs, or of one', () => {
    expect(parse('--only', 'latency').parts).toEqual(['latency-sqlite', 'latency-postgres', 'latency-edge']);
    expect(parse('--only', 'latency-edge').parts).toEqual(['latency-edge']);
  });

  it('runs less when it has to be quick', () => {
    const cost = ({ servers }: ReturnType<typeof parse>) =>
      (servers.measured + servers.warmUpAtMost) * servers.roundMs;
    expect(cost(parse('--quick'))).toBeLessThan(cost(parse()) / 5);
  });

  it.each([
    ['--only', 'everything'],
    ['--rounds', '0'],
    ['--rounds', '1.5'],
    ['--seconds', 'long'],
    ['--fast'],
    ['encryption'],
  ])('refuses %s %s', (...args) => {
    expect(() => parse(...args)).toThrow();
  });
});

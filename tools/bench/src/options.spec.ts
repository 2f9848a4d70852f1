import { describe, expect, it } from '@jest/globals';
import { parseOptions, PARTS } from './options.ts';

const parse = (...args: string[]) => parseOptions(args, { jsonFile: 'bench.json' });

describe('parseOptions', () => {
  it('measures everything and only reports when nothing is said', () => {
    expect(parse()).toMatchObject({
      parts: [...PARTS],
      jsonFile: 'bench.json',
      check: false,
    });
  });

  it('takes one part and a file', () => {
    expect(parse('--only', 'batch', '--json', 'x.json', '--check')).toMatchObject({
      parts: ['batch'],
      jsonFile: 'x.json',
      check: true,
    });
  });

  it('runs less when it has to be quick', () => {
    const cost = ({ servers }: ReturnType<typeof parse>) =>
      (servers.measured + servers.warmUp) * servers.roundMs;
    expect(cost(parse('--quick'))).toBeLessThan(cost(parse()) / 5);
  });

  it.each([['--only', 'everything'], ['--fast'], ['encryption']])('refuses %s %s', (...args) => {
    expect(() => parse(...args)).toThrow();
  });
});

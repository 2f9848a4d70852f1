import { describe, expect, it } from '@jest/globals';
import { readH2loadOutput } from './h2load.ts';

const OUTPUT = `starting benchmark...
finished in 1.50s, 9731.33 req/s, 6.36MB/s
requests: 14597 total, 14677 started, 14597 done, 14590 succeeded, 7 failed, 7 errored, 0 timeout
status codes: 14597 2xx, 0 3xx, 0 4xx, 0 5xx
traffic: 9.54MB (10005713) total, 199.86KB (204659) headers (space savings 93.95%), 9.01MB (9451260) data
                     min         max         mean         sd        +/- sd
`;

describe('readH2loadOutput', () => {
  it('reads speed, ends and bytes', () => {
    expect(readH2loadOutput(OUTPUT)).toEqual({
      perSecond: 9731.33,
      ok: 14590,
      failed: 7,
      responseBytes: 9451260,
      cutOff: 80,
    });
  });

  it('refuses what is not a summary, rather than to count nothing', () => {
    expect(() => readH2loadOutput('h2load: no such option')).toThrow(/something else/);
  });
});

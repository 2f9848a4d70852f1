import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { createPage } from '../output.ts';
import { drawTop } from './draw-top.ts';
import type { TopView } from './view.ts';

const DAY = 86_400;
const VIEW: TopView = {
  timeMs: Date.UTC(2026, 10, 26, 23, 21, 7),
  intervalMs: 2000,
  service: {
    address: 'callpass.example:7443',
    health: [
      { service: '', isServing: true },
      { service: 'callpass.v1.CredentialService', isServing: false },
    ],
    state: { revision: 7, freezeCount: 2 },
  },
  instances: [
    {
      ...{ name: '10.0.0.1:9464', version: '0.1.0', isReady: true, troubles: ['limiter does not answer'] },
      ...{ issuedPerSecond: 1234.5, refusedPerSecond: 12.34, p99Seconds: 0.0049 },
      ...{ cpuShare: 0.789, memoryBytes: 210 * 1024 * 1024, uptimeSeconds: 3 * DAY + 4 * 3600 },
    },
    {
      ...{ name: '10.0.0.2:9464', troubles: [] },
      unreached: { fault: 'ECONNREFUSED', next: 'see that it runs' },
    },
  ],
  hasRates: true,
  destinations: [
    { destination: 'support', issuedPerSecond: 1200, refusedPerSecond: 12.34 },
    {
      destination: 'a-destination-with-a-name-that-is-far-too-long-for-80-columns',
      issuedPerSecond: 34.5,
      refusedPerSecond: 0,
    },
  ],
  reasons: [{ reason: 'LIMIT_EXCEEDED', destination: 'support', perSecond: 12.34 }],
  methods: [{ method: 'callpass.v1.CredentialService/IssueCredentials', perSecond: 1246.8, p99Seconds: 1.2 }],
  limits: [
    { destination: 'support', limit: 'limits[0] per SUBJECT', usedShare: 1 },
    { destination: 'support', limit: 'limits[1] per CLIENT', usedShare: 0.995 },
    { destination: 'lobby', limit: 'limits[0] per SUBJECT', usedShare: 0.5 },
    { destination: 'unused', limit: 'limits[0] per SUBJECT', usedShare: 0 },
  ],
  ends: [
    { what: 'key of support.example', event: 'rotation due', inSeconds: -3 * 3600 },
    { what: 'certificate server', event: 'expires', inSeconds: 12 * DAY + 60 },
  ],
};

/** The picture as a terminal of this width shows it. */
function drawn(view: TopView, width: number, noColor = true): string {
  let text = '';
  const page = createPage({ isTTY: true, write: (line) => (text += line) }, { noColor });
  for (const line of drawTop(view, width)) page.parts(line);
  return text;
}

describe('drawTop', () => {
  it('draws everything on a wide terminal', () => {
    expect(`\n${drawn(VIEW, 120)}`).toBe(`
callpass top  callpass.example:7443  23:21:07 UTC, every 2 s
health: callpass.v1.CredentialService does not serve
configuration: revision 7, freezes in force: 2, see callpass freezes

INSTANCE       STATE        ISSUED/s  REFUSED/s     P99   CPU   MEMORY   UP FOR  VERSION
10.0.0.1:9464  issues, but     1,235       12.3  4.9 ms  78 %  210 MiB  3 d 4 h  0.1.0
  limiter does not answer
10.0.0.2:9464  not reached         -          -       -     -        -        -
  ECONNREFUSED: see that it runs

DESTINATION                                                    ISSUED/s  REFUSED/s
support                                                           1,200       12.3  ███████████████████████████████████░
a-destination-with-a-name-that-is-far-too-long-for-80-columns      34.5          0  ██

REFUSED FOR     DESTINATION  REFUSED/s
LIMIT_EXCEEDED  support           12.3

RPC               CALLS/s     P99
IssueCredentials    1,247  1.20 s

LIMIT, FULLEST COUNTER  DESTINATION   USED
limits[0] per SUBJECT   support      100 %  ████████████████████████████████████████████████████████████████████████████
limits[1] per CLIENT    support       99 %  ███████████████████████████████████████████████████████████████████████████░
limits[0] per SUBJECT   lobby         50 %  ██████████████████████████████████████░░░░░░░░░░░░░░░░░░░░░░░░░░░░░░░░░░░░░░

KEYS AND CERTIFICATES                 IN
key of support.example  rotation due  overdue for 3 h
certificate server      expires       12 d
`);
  });

  it('fits in 80 columns: long names are cut, columns left out', () => {
    expect(`\n${drawn(VIEW, 80)}`).toBe(`
callpass top  callpass.example:7443  23:21:07 UTC, every 2 s
health: callpass.v1.CredentialService does not serve
configuration: revision 7, freezes in force: 2, see callpass freezes

INSTANCE       STATE        ISSUED/s  REFUSED/s     P99   CPU
10.0.0.1:9464  issues, but     1,235       12.3  4.9 ms  78 %
  limiter does not answer
10.0.0.2:9464  not reached         -          -       -     -
  ECONNREFUSED: see that it runs

DESTINATION                                        ISSUED/s  REFUSED/s
support                                               1,200       12.3  ███████░
a-destination-with-a-name-that-is-far-too-long-f…      34.5          0  █

REFUSED FOR     DESTINATION  REFUSED/s
LIMIT_EXCEEDED  support           12.3

RPC               CALLS/s     P99
IssueCredentials    1,247  1.20 s

LIMIT, FULLEST COUNTER  DESTINATION   USED
limits[0] per SUBJECT   support      100 %  ████████████████████████████████████
limits[1] per CLIENT    support       99 %  ███████████████████████████████████░
limits[0] per SUBJECT   lobby         50 %  ██████████████████░░░░░░░░░░░░░░░░░░

KEYS AND CERTIFICATES                 IN
key of support.example  rotation due  overdue for 3 h
certificate server      expires       12 d
`);
  });

  it('says before the second look that rates are to come', () => {
    const none = { hasRates: false, destinations: [], reasons: [], methods: [], limits: [], ends: [] };
    expect(drawn({ ...VIEW, ...none }, 80)).toMatch(/\n\nrates follow with the second look\n$/);
  });

  it('says what to do where the service cannot be asked, in lines that fit, and the same fault once', () => {
    const away = {
      fault: `no answer from callpass.example:7443: ${'nothing listens there '.repeat(3).trim()}`,
      next: 'see it',
    };
    const denied = { fault: 'ROLE_MISSING', next: 'needs a role' };
    const headOf = (state: typeof away) =>
      drawn({ ...VIEW, service: { address: 'a:1', health: away, state } }, 80);
    const health = `health: no answer from callpass.example:7443: nothing listens there nothing
  listens there nothing listens there
  see it
`;
    expect(headOf(away)).toContain(`every 2 s\n${health}\nINSTANCE`);
    expect(headOf(denied)).toContain(`${health}configuration: ROLE_MISSING\n  needs a role\n\n`);
  });

  it('colours what words say too', () => {
    const [green, yellow, red] = [32, 33, 31].map((code) => `\u001b[${code}m`);
    const text = drawn(VIEW, 120, false);
    expect(text).toContain(`${red}callpass.v1.CredentialService does not serve`);
    expect(text).toContain(`${yellow}  issues, but`);
    expect(text).toContain(`${red}  not reached`);
    expect(text).toContain(`${yellow}  12 d`);
    expect(text).toContain(`${red}  overdue for 3 h`);
    expect(text).toMatch(new RegExp(`${green?.replace('[', '\\[')}█+`));
  });

  it.each([40, 50, 60, 70])('cuts no number of a table at %s columns', (width) => {
    const lines = drawn(VIEW, width).split('\n');
    const instances = lines.slice(lines.findIndex((line) => line.startsWith('INSTANCE')));
    for (const line of instances.filter((each) => /^[A-Z]{3}|issues/.test(each)))
      expect(line.length).toBeLessThanOrEqual(width);
    expect(instances[0]).toMatch(/^INSTANCE +STATE +ISSUED\/s/);
    expect(instances[0]?.includes('CPU')).toBe(width >= 60);
  });

  it('draws no control character, and from 80 columns no line wider than the terminal, whatever labels hold', () => {
    const anything = fc.string({ unit: 'binary', maxLength: 60 });
    const rate = fc.double({ min: 0, max: 1e6, noNaN: true });
    const destinations = fc.array(
      fc.record({ destination: anything, issuedPerSecond: rate, refusedPerSecond: rate }),
      { maxLength: 10 },
    );
    const limits = fc.array(
      fc.record({
        destination: anything,
        limit: anything,
        usedShare: fc.double({ min: 0, max: 1, noNaN: true }),
      }),
      { maxLength: 10 },
    );
    fc.assert(
      fc.property(destinations, limits, fc.integer({ min: 1, max: 200 }), (some, taken, width) => {
        const text = drawn({ ...VIEW, instances: [], destinations: some, limits: taken }, width);
        if (width >= 80) for (const line of text.split('\n')) expect(line.length).toBeLessThanOrEqual(width);
        // eslint-disable-next-line no-control-regex
        expect(text).not.toMatch(/[\u0000-\u0009\u000b-\u001f\u007f-\u009f]/);
      }),
      { numRuns: 50 },
    );
  });
});

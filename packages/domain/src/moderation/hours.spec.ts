import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import type { Hours } from '../realm/configuration.ts';
import { compileHours, HoursError, isOpen, nextOpening } from './hours.ts';

const MINUTE_MS = 60_000;
const DAY_MS = 86_400_000;

interface Case {
  readonly at: string;
  readonly open: boolean;
  /** The next opening, asked for while it is closed. */
  readonly next?: string;
}

const NIGHT_AND_DAY = ['Mon-Fri 08:00-18:00', 'Sat 22:00-06:00', 'Sun 02:15-02:45'];

const TABLE: { timeZone: string; open: string[]; closedDates: string[]; cases: Case[] }[] = [
  {
    timeZone: 'Europe/Berlin',
    open: NIGHT_AND_DAY,
    closedDates: ['2026-12-25', '2026-06-07'],
    cases: [
      { at: '2026-11-25T06:59:59.999Z', open: false, next: '2026-11-25T07:00:00.000Z' },
      { at: '2026-11-25T07:00:00.000Z', open: true },
      { at: '2026-11-25T16:59:59.999Z', open: true },
      { at: '2026-11-25T17:00:00.000Z', open: false, next: '2026-11-26T07:00:00.000Z' },
      // Friday evening, and no window before Saturday night.
      { at: '2026-11-27T17:00:00.000Z', open: false, next: '2026-11-28T21:00:00.000Z' },
      // 2026-03-29: 02:00 becomes 03:00. The window 02:15-02:45 does not take place; the night runs through.
      { at: '2026-03-29T00:59:59.999Z', open: true },
      { at: '2026-03-29T01:00:00.000Z', open: true },
      { at: '2026-03-29T03:59:59.999Z', open: true },
      { at: '2026-03-29T04:00:00.000Z', open: false, next: '2026-03-30T06:00:00.000Z' },
      // 2026-10-25: 03:00 becomes 02:00. The night lasts an hour longer.
      { at: '2026-10-24T19:59:59.999Z', open: false, next: '2026-10-24T20:00:00.000Z' },
      { at: '2026-10-25T04:59:59.999Z', open: true },
      { at: '2026-10-25T05:00:00.000Z', open: false, next: '2026-10-26T07:00:00.000Z' },
      // A closed Friday, from midnight to midnight.
      { at: '2026-12-25T08:00:00.000Z', open: false, next: '2026-12-26T21:00:00.000Z' },
      // A closed Sunday cuts off the night that came from Saturday.
      { at: '2026-06-06T21:59:59.999Z', open: true },
      { at: '2026-06-06T22:00:00.000Z', open: false, next: '2026-06-08T06:00:00.000Z' },
    ],
  },
  {
    timeZone: 'America/New_York',
    open: ['Sun 01:15-01:45,02:30-03:30', 'Mon-Fri 09:00-17:00'],
    closedDates: ['2026-07-04', '2026-07-03'],
    cases: [
      { at: '2026-11-25T13:59:59.999Z', open: false, next: '2026-11-25T14:00:00.000Z' },
      { at: '2026-11-25T14:00:00.000Z', open: true },
      { at: '2026-11-25T21:59:59.999Z', open: true },
      { at: '2026-11-25T22:00:00.000Z', open: false, next: '2026-11-26T14:00:00.000Z' },
      // 2026-03-08: 02:00 becomes 03:00. A window that starts in the gap opens with the jump.
      { at: '2026-03-08T06:45:00.000Z', open: false, next: '2026-03-08T07:00:00.000Z' },
      { at: '2026-03-08T07:00:00.000Z', open: true },
      { at: '2026-03-08T07:29:59.999Z', open: true },
      { at: '2026-03-08T07:30:00.000Z', open: false, next: '2026-03-09T13:00:00.000Z' },
      // 2026-11-01: 02:00 becomes 01:00. 01:15 to 01:45 takes place twice.
      { at: '2026-11-01T05:15:00.000Z', open: true },
      { at: '2026-11-01T05:45:00.000Z', open: false, next: '2026-11-01T06:15:00.000Z' },
      { at: '2026-11-01T06:15:00.000Z', open: true },
      { at: '2026-11-01T06:45:00.000Z', open: false, next: '2026-11-01T07:30:00.000Z' },
      // A holiday and the day before it.
      { at: '2026-07-03T15:00:00.000Z', open: false, next: '2026-07-05T05:15:00.000Z' },
    ],
  },
  {
    timeZone: 'Australia/Lord_Howe',
    open: ['Mon-Fri 08:00-18:00', 'Sun 01:40-01:50,02:10-02:20'],
    closedDates: ['2027-01-01'],
    cases: [
      { at: '2026-11-24T20:59:59.999Z', open: false, next: '2026-11-24T21:00:00.000Z' },
      { at: '2026-11-24T21:00:00.000Z', open: true },
      { at: '2026-11-25T06:59:59.999Z', open: true },
      { at: '2026-11-25T07:00:00.000Z', open: false, next: '2026-11-25T21:00:00.000Z' },
      // 2026-04-05: 02:00 becomes 01:30. 01:40 to 01:50 takes place twice, half an hour apart.
      { at: '2026-04-04T14:40:00.000Z', open: true },
      { at: '2026-04-04T14:50:00.000Z', open: false, next: '2026-04-04T15:10:00.000Z' },
      { at: '2026-04-04T15:10:00.000Z', open: true },
      { at: '2026-04-04T15:20:00.000Z', open: false, next: '2026-04-04T15:40:00.000Z' },
      // 2026-10-04: 02:00 becomes 02:30. 02:10 to 02:20 does not take place.
      { at: '2026-10-03T15:10:00.000Z', open: true },
      { at: '2026-10-03T15:20:00.000Z', open: false, next: '2026-10-04T21:00:00.000Z' },
      // New Year's Day is a Friday.
      { at: '2026-12-31T21:00:00.000Z', open: false, next: '2027-01-02T14:40:00.000Z' },
    ],
  },
];

const utc = (text: string): number => Date.parse(text);
const rows = TABLE.flatMap(({ cases, ...hours }) =>
  cases.map((row) => ({ zone: hours.timeZone, ...row, hours })),
);

describe('opening hours', () => {
  it.each(rows)('in $zone are open ($open) at $at', ({ at, open, next, hours }) => {
    const compiled = compileHours(hours);
    expect(isOpen(compiled, utc(at))).toBe(open);
    const opening = nextOpening(compiled, utc(at));
    expect(opening === undefined ? undefined : new Date(opening).toISOString()).toBe(next ?? at);
  });

  it('stay open over midnight when a whole week is open', () => {
    const always = compileHours({ timeZone: 'UTC', open: ['Mon-Sun 00:00-24:00'], closedDates: [] });
    for (let hour = 0; hour < 24 * 8; hour++)
      expect(isOpen(always, utc('2026-11-25') + hour * 3_600_000)).toBe(true);
  });

  it('open with the next date when a window that started on a closed date runs over midnight', () => {
    const hours = compileHours({ timeZone: 'UTC', open: ['Fri 22:00-06:00'], closedDates: ['2026-12-25'] });
    expect(nextOpening(hours, utc('2026-12-25T22:30:00Z'))).toBe(utc('2026-12-26T00:00:00Z'));
    expect(isOpen(hours, utc('2026-12-26T05:59:59Z'))).toBe(true);
  });

  it('know days that run over the end of the week', () => {
    const hours = compileHours({ timeZone: 'UTC', open: ['Sat-Mon 10:00-11:00'], closedDates: [] });
    const openOn = [23, 24, 25, 26, 27, 28, 29].map((day) => isOpen(hours, Date.UTC(2026, 10, day, 10, 30)));
    expect(openOn).toEqual([true, false, false, false, false, true, true]);
  });

  it('name no opening that is more than 400 days away', () => {
    const startMs = utc('2026-01-01T00:00:00Z');
    const closedDates = Array.from({ length: 500 }, (_, day) =>
      new Date(startMs + day * DAY_MS).toISOString().slice(0, 10),
    );
    const hours = compileHours({ timeZone: 'UTC', open: ['Mon-Sun 00:00-24:00'], closedDates });
    expect(nextOpening(hours, startMs)).toBeUndefined();
    expect(nextOpening(hours, startMs + 99 * DAY_MS)).toBeUndefined();
    expect(nextOpening(hours, startMs + 100 * DAY_MS)).toBeUndefined();
    expect(nextOpening(hours, startMs + 100 * DAY_MS + 1)).toBe(startMs + 500 * DAY_MS);
  });

  it.each([NaN, Infinity, -Infinity, -1, 253_402_300_800_000, Number.MAX_VALUE])(
    'are closed at %p, which no clock shows',
    (nowMs) => {
      const always = compileHours({ timeZone: 'UTC', open: ['Mon-Sun 00:00-24:00'], closedDates: [] });
      expect(isOpen(always, nowMs)).toBe(false);
      expect(nextOpening(always, nowMs)).toBeUndefined();
    },
  );

  it('take offsets that are no whole minutes, as Liberia had', () => {
    const hours = compileHours({ timeZone: 'Africa/Monrovia', open: ['Thu 00:00-24:00'], closedDates: [] });
    const midnightMs = (44 * 60 + 30) * 1000;
    expect(isOpen(hours, midnightMs - 1)).toBe(false);
    expect(isOpen(hours, midnightMs)).toBe(true);
  });
});

const ZONES = [
  'Europe/Berlin',
  'America/New_York',
  'Australia/Lord_Howe',
  'Africa/Casablanca',
  'Pacific/Apia',
  'Asia/Kathmandu',
  'UTC',
];
const WEEKDAYS = ['Mon', 'Tue', 'Wed', 'Thu', 'Fri', 'Sat', 'Sun'];

const clock = (minute: number): string =>
  `${String(Math.floor(minute / 60)).padStart(2, '0')}:${String(minute % 60).padStart(2, '0')}`;
const window = fc
  .tuple(
    fc.constantFrom(...WEEKDAYS),
    fc.constantFrom(...WEEKDAYS),
    fc.integer({ min: 0, max: 1439 }),
    fc.integer({ min: 0, max: 1440 }),
  )
  .filter(([, , from, to]) => from !== to)
  .map(([first, last, from, to]) => `${first}-${last} ${clock(from)}-${clock(to)}`);
// A year that holds every kind of clock change, in the zones above.
const instant = fc.integer({ min: utc('2026-01-01T00:00:00Z'), max: utc('2027-12-31T00:00:00Z') });
const anyHours: fc.Arbitrary<Hours> = fc.record({
  timeZone: fc.constantFrom(...ZONES),
  open: fc.array(window, { minLength: 1, maxLength: 4 }),
  closedDates: fc.array(
    instant.map((timeMs) => new Date(timeMs).toISOString().slice(0, 10)),
    { maxLength: 20 },
  ),
});

/** Straight from the sentences of the documentation, with Intl telling the wall clock. */
function isOpenByTheBook({ timeZone, open, closedDates }: Hours, timeMs: number): boolean {
  const format = new Intl.DateTimeFormat('en-GB', {
    timeZone,
    hourCycle: 'h23',
    weekday: 'short',
    year: 'numeric',
    month: '2-digit',
    day: '2-digit',
    hour: '2-digit',
    minute: '2-digit',
  });
  const parts = Object.fromEntries(format.formatToParts(timeMs).map(({ type, value }) => [type, value]));
  if (closedDates.includes(`${parts.year}-${parts.month}-${parts.day}`)) return false;
  const today = WEEKDAYS.indexOf(parts.weekday ?? '');
  const now = `${parts.hour}:${parts.minute}`;
  return open.some((text) => {
    const [, first = '', last = '', from = '', to = ''] = /^(\w+)-(\w+) (\S+)-(\S+)$/.exec(text) ?? [];
    const start = WEEKDAYS.indexOf(first);
    const holdsOn = (day: number) => (day - start + 7) % 7 <= (WEEKDAYS.indexOf(last) - start + 7) % 7;
    if (from < to) return holdsOn(today) && from <= now && now < to;
    return (holdsOn(today) && from <= now) || (holdsOn((today + 6) % 7) && now < to);
  });
}

describe('opening hours, whatever they are', () => {
  it('are open exactly when the wall clock is in a window', () => {
    fc.assert(
      fc.property(anyHours, fc.array(instant, { minLength: 1, maxLength: 10 }), (hours, instants) => {
        const compiled = compileHours(hours);
        for (const timeMs of instants) expect(isOpen(compiled, timeMs)).toBe(isOpenByTheBook(hours, timeMs));
      }),
      { numRuns: 300 },
    );
  });

  it('answer the same whatever was asked before', () => {
    const steps = fc.array(
      fc.oneof(
        instant.map((timeMs) => ({ jumpToMs: timeMs })),
        fc.integer({ min: -3 * DAY_MS, max: 3 * DAY_MS }).map((byMs) => ({ byMs })),
        fc.constantFrom({ byMs: 1 }, { byMs: -1 }, { byMs: MINUTE_MS }, { byMs: -MINUTE_MS }),
      ),
      { minLength: 2, maxLength: 30 },
    );
    fc.assert(
      fc.property(anyHours, instant, steps, (hours, startMs, walk) => {
        const asked = compileHours(hours);
        let nowMs = startMs;
        for (const step of walk) {
          nowMs = 'jumpToMs' in step ? step.jumpToMs : nowMs + step.byMs;
          expect(nextOpening(asked, nowMs)).toBe(nextOpening(compileHours(hours), nowMs));
          expect(isOpen(asked, nowMs)).toBe(isOpen(compileHours(hours), nowMs));
        }
      }),
      { numRuns: 100 },
    );
  });

  it('are open at the next opening and closed the minute before', () => {
    fc.assert(
      fc.property(anyHours, instant, (hours, nowMs) => {
        const opening = nextOpening(compileHours(hours), nowMs);
        fc.pre(opening !== undefined && !isOpen(compileHours(hours), nowMs));
        expect(opening).toBeGreaterThan(nowMs);
        expect(isOpenByTheBook(hours, opening)).toBe(true);
        expect(isOpenByTheBook(hours, opening - 1)).toBe(false);
        expect(isOpenByTheBook(hours, opening - MINUTE_MS)).toBe(false);
        for (const share of [0.25, 0.5, 0.75]) {
          expect(isOpenByTheBook(hours, nowMs + Math.floor((opening - nowMs - 1) * share))).toBe(false);
        }
      }),
      { numRuns: 200 },
    );
  });
});

describe('hours that do not parse', () => {
  const good: Hours = { timeZone: 'UTC', open: ['Mon 08:00-09:00'], closedDates: [] };

  it.each([
    ['Mon', 4],
    ['', 1],
    ['08:00-18:00', 1],
    ['mon 08:00-18:00', 1],
    ['Mon-Fri', 8],
    ['Mon-Fry 08:00-18:00', 4],
    ['Mon,  08:00-18:00', 7],
    ['Mon 8:00-18:00', 5],
    ['Mon 08:00-18:60', 5],
    ['Mon 24:00-24:00', 5],
    ['Mon 24:00-06:00', 5],
    ['Mon 08:00-24:01', 5],
    ['Mon 08:00-08:00', 5],
    ['Mon 08:00-12:00,13:00', 17],
    ['Mon 08:00-12:00 ', 16],
    ['Mon 08:00-12:00\nTue 08:00-12:00', 16],
  ])('say at which character %p is not understood', (text, position) => {
    const attempt = () => compileHours({ ...good, open: ['Tue 08:00-09:00', text] });
    expect(attempt).toThrow(HoursError);
    expect(attempt).toThrow(expect.objectContaining({ code: 'HOURS_INVALID', field: 'open[1]', position }));
  });

  it('are still refused when the same lines were accepted one by one before', () => {
    compileHours({ ...good, open: ['Mon 08:00-12:00', 'Tue 08:00-12:00'] });
    for (const joint of [',', '\n', '","']) {
      expect(() =>
        compileHours({ ...good, open: [['Mon 08:00-12:00', 'Tue 08:00-12:00'].join(joint)] }),
      ).toThrow(HoursError);
    }
  });

  it.each(['Nowhere/Here', '', '+01:00', 'UTC+1', ' UTC', 'Europe/Berlin\0', 'x'.repeat(65_536)])(
    'name the time zone %.20p, twice in a row',
    (timeZone) => {
      const attempt = () => compileHours({ ...good, timeZone });
      expect(attempt).toThrow(expect.objectContaining({ field: 'timeZone' }));
      expect(attempt).toThrow(expect.objectContaining({ field: 'timeZone' }));
    },
  );

  it.each(['2026-02-30', '2026-13-01', '2026-00-10', '2026-1-1', 'tomorrow', '2026-12-25 '])(
    'name the closed date %p',
    (date) => {
      const attempt = () => compileHours({ ...good, closedDates: ['2024-02-29', date] });
      expect(attempt).toThrow(expect.objectContaining({ field: 'closedDates[1]' }));
    },
  );

  it('are refused without a window', () => {
    expect(() => compileHours({ ...good, open: [] })).toThrow(expect.objectContaining({ field: 'open' }));
  });

  it('are refused with an HoursError only, whatever the text', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), fc.array(fc.string({ unit: 'binary' })), (zone, texts) => {
        try {
          compileHours({ timeZone: zone, open: texts, closedDates: texts });
        } catch (error) {
          expect(error).toBeInstanceOf(HoursError);
        }
      }),
    );
  });
});

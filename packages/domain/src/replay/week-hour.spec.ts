import { describe, expect, it } from '@jest/globals';
import { EMPTY_CONFIGURATION } from '../realm/configuration.ts';
import { commonTimeZone, weekHours } from './week-hour.ts';

describe('hours of the week', () => {
  const named = (timeZone: string, time: string) => {
    const hour = weekHours(timeZone)(Date.parse(time));
    return `${['Mon', 'Tue', 'Wed', 'Thu', 'Fri', 'Sat', 'Sun'][Math.floor(hour / 24)]} ${hour % 24}`;
  };

  it('are those of the wall clock, from Monday', () => {
    expect(named('UTC', '2026-03-02T00:00:00Z')).toBe('Mon 0');
    expect(named('UTC', '2026-03-01T23:59:59.999Z')).toBe('Sun 23');
    expect(named('Europe/Berlin', '2026-03-01T23:00:00Z')).toBe('Mon 0');
    expect(named('America/New_York', '2026-03-02T04:59:00Z')).toBe('Sun 23');
    expect(named('Asia/Kolkata', '2026-03-02T18:30:00Z')).toBe('Tue 0');
    expect(named('America/New_York', '1970-01-01T00:00:00Z')).toBe('Wed 19');
  });

  it('follow a change of the clock at once', () => {
    const hour = weekHours('Europe/Berlin');
    const at = (time: string) => hour(Date.parse(time)) % 24;
    expect([at('2026-03-29T00:59:59Z'), at('2026-03-29T01:00:00Z')]).toEqual([1, 3]);
    expect([at('2026-10-25T00:59:59Z'), at('2026-10-25T01:00:00Z')]).toEqual([2, 2]);
  });

  it('have the zone of all opening hours, or UTC', () => {
    const destination = (id: string, timeZone?: string) => ({
      ...{ id, realm: undefined, account: 'a@x', callees: ['b@x'], callers: [], enabled: true },
      ...{ requireSubject: false, limits: [] },
      hours: timeZone === undefined ? undefined : { timeZone, open: ['Mon 08:00-09:00'], closedDates: [] },
    });
    const of = (...destinations: ReturnType<typeof destination>[]) => ({
      ...EMPTY_CONFIGURATION,
      destinations,
    });
    const berlin = destination('a', 'Europe/Berlin');
    expect(commonTimeZone(of(berlin, destination('b')))).toBe('Europe/Berlin');
    expect(commonTimeZone(of(berlin, destination('b', 'Asia/Tokyo')))).toBe('UTC');
    expect(commonTimeZone(of(berlin, destination('b', 'Asia/Tokyo')), 'b')).toBe('Asia/Tokyo');
    expect(commonTimeZone(EMPTY_CONFIGURATION)).toBe('UTC');
  });
});

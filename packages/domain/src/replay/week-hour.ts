import type { Configuration } from '../realm/configuration.ts';
import { findTimeZone } from '../moderation/time-zone.ts';

/** Hours of a week. */
export const WEEK_HOURS = 7 * 24;

const HOUR_MS = 3_600_000;
const UTC = 'UTC';

/** Clocks change at whole quarters of an hour. */
const OFFSET_STEP_MS = 15 * 60_000;

/** Day 0 of the epoch was a Thursday, three days behind a Monday. */
const FIRST_WEEKDAY = 3;

/** Makes a function that gives the hour of the week, from Monday 0 h, on the wall clock of a zone. Throws RangeError for no zone. */
export function weekHours(timeZone: string): (timeMs: number) => number {
  const zone = findTimeZone(timeZone);
  if (zone === undefined) throw new RangeError('the time zone is not known');
  let step = Number.NaN;
  let offsetMs = 0;
  return (timeMs) => {
    const current = Math.floor(timeMs / OFFSET_STEP_MS);
    if (current !== step) {
      step = current;
      offsetMs = zone.offsetMsAt(timeMs);
    }
    const hours = Math.floor((timeMs + offsetMs) / HOUR_MS) + FIRST_WEEKDAY * 24;
    return ((hours % WEEK_HOURS) + WEEK_HOURS) % WEEK_HOURS;
  };
}

/** The zone of all opening hours of a configuration, or of one destination; UTC where they differ or there are none. */
export function commonTimeZone({ destinations }: Configuration, destination?: string): string {
  const zones = new Set(
    destinations
      .filter(({ id, hours }) => hours !== undefined && (destination === undefined || id === destination))
      .map(({ hours }) => hours?.timeZone ?? UTC),
  );
  const [zone = UTC] = zones;
  return zones.size === 1 ? zone : UTC;
}

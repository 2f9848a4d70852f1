import type { Hours } from '../realm/configuration.ts';
import { findTimeZone, type TimeZone } from './time-zone.ts';
import { readWeek, type OpenWeek } from './week-grammar.ts';

/** A mistake in {@link Hours} and its place. */
export interface HoursFault {
  /** The member, as in the document: `timeZone`, `open`, `open[1]`, `closedDates[0]`. */
  readonly field: string;
  /** The character where reading stopped, from 1. */
  readonly position: number;
  /** The form that is needed there. The text itself is not in it. */
  readonly message: string;
}

/** Hours that were understood. */
export interface Schedule {
  readonly zone: TimeZone;
  readonly week: OpenWeek;
  /** Local dates as days since 1970-01-01. */
  readonly closedDays: ReadonlySet<number>;
}

/** Length of a day without a clock change. */
export const DAY_MS = 86_400_000;

const DATE = /^(\d{4})-(\d{2})-(\d{2})$/;

/** Reads opening hours, or says everything that is wrong with them. */
export function readHours({
  timeZone,
  open,
  closedDates,
}: Hours): { schedule: Schedule } | { faults: HoursFault[] } {
  const faults: HoursFault[] = [];
  const refuse = (field: string, message: string) => faults.push({ field, position: 1, message });

  const zone = findTimeZone(timeZone);
  if (!zone)
    refuse('timeZone', 'is not a name of the IANA time zone database; write one such as Europe/Berlin');

  const read = readWeek(open);
  if (open.length === 0) refuse('open', 'needs at least one window; write one such as Mon-Fri 08:00-18:00');
  if ('faults' in read) {
    for (const { index, ...fault } of read.faults) faults.push({ field: `open[${index}]`, ...fault });
  }

  const closedDays = new Set<number>();
  closedDates.forEach((text, index) => {
    const day = dayOf(text);
    if (day === undefined) refuse(`closedDates[${index}]`, 'is not a date of the calendar, YYYY-MM-DD');
    else closedDays.add(day);
  });

  if (!zone || 'faults' in read || faults.length > 0) return { faults };
  return { schedule: { zone, week: read.week, closedDays } };
}

function dayOf(text: string): number | undefined {
  const [, year, month, day] = DATE.exec(text) ?? [];
  const date = new Date(Date.UTC(Number(year), Number(month) - 1, Number(day)));
  // Date takes the 30th of February for a day in March, and NaN for no time at all.
  const exists = date.getUTCMonth() + 1 === Number(month) && date.getUTCDate() === Number(day);
  return exists ? date.getTime() / DAY_MS : undefined;
}

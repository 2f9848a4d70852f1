/**
 * Opening hours of a line. The wall clock rules: an instant is open if the local weekday and time lie in a window and the
 * local date is not a closed one. What follows from it:
 * - An hour that the clock skips in spring is neither open nor closed; a window that starts in it opens with the jump.
 * - An hour that the clock repeats in autumn is open, or closed, both times.
 * - A closed date is closed from its first to its last local minute, also for a window that came over midnight from the
 *   day before. A window that starts on it and runs over midnight opens with the next date.
 */
import type { Hours } from '../realm/configuration.ts';
import { DAY_MS, readHours, type HoursFault, type Schedule } from './hours-grammar.ts';

/** Hours that do not parse. `field` and `position` say where; the text itself is not in the message. */
export class HoursError extends Error {
  override readonly name = 'HoursError';
  readonly code = 'HOURS_INVALID';
  /** The member of the hours, for example `open[1]`. */
  readonly field: string;
  /** The character in the member where reading stopped, from 1. */
  readonly position: number;

  constructor(fault: HoursFault) {
    super(`${fault.field} ${fault.message}`);
    this.field = fault.field;
    this.position = fault.position;
  }
}

/** Opening hours ready to be asked. Holds what it found last, which makes answers fast and never different. */
export interface CompiledHours {
  readonly schedule: Schedule;
  /** @internal */
  readonly memo: Memo;
}

interface Memo {
  /** From here until `untilMs` (not included) nothing changes. */
  fromMs: number;
  untilMs: number;
  open: boolean;
  /** From here until `closedUntilMs` (not included) the line is known to be closed. */
  closedFromMs: number;
  closedUntilMs: number;
  /** Set where it is known to open at `closedUntilMs`. */
  opensThen: boolean;
}

interface Segment {
  readonly open: boolean;
  readonly untilMs: number;
}

const SEARCH_MS = 400 * DAY_MS;
const MINUTE_MS = 60_000;
/** The years 1970 to 9999. Any other time is taken for a broken clock. */
const END_OF_TIME_MS = Date.UTC(10_000, 0, 1);

/** Makes hours ready to be asked. Throws {@link HoursError} for the first thing that does not parse. */
export function compileHours(hours: Hours): CompiledHours {
  const read = readHours(hours);
  if ('schedule' in read) return { schedule: read.schedule, memo: newMemo() };
  const [first = { field: 'hours', position: 1, message: 'are not understood' }] = read.faults;
  throw new HoursError(first);
}

/** Tells whether the line is open at `nowMs`. Closed for times that are not in the years 1970 to 9999. */
export function isOpen(hours: CompiledHours, nowMs: number): boolean {
  const memo = hours.memo;
  if (nowMs >= memo.fromMs && nowMs < memo.untilMs) return memo.open;
  if (!isCivilTime(nowMs)) return false;
  const segment = segmentAt(hours.schedule, nowMs);
  memo.fromMs = nowMs;
  memo.untilMs = segment.untilMs;
  memo.open = segment.open;
  return segment.open;
}

/** The first instant from `nowMs` on at which the line is open: `nowMs` itself when it is. Within 400 days only. */
export function nextOpening(hours: CompiledHours, nowMs: number): number | undefined {
  if (!isCivilTime(nowMs)) return undefined;
  if (isOpen(hours, nowMs)) return nowMs;
  const memo = hours.memo;
  const limitMs = nowMs + SEARCH_MS;
  if (!(nowMs >= memo.closedFromMs && nowMs < memo.closedUntilMs)) {
    memo.closedFromMs = nowMs;
    memo.closedUntilMs = nowMs;
    memo.opensThen = false;
  }
  while (!memo.opensThen && memo.closedUntilMs < limitMs) {
    const segment = segmentAt(hours.schedule, memo.closedUntilMs);
    if (segment.open) memo.opensThen = true;
    else memo.closedUntilMs = segment.untilMs;
  }
  return memo.opensThen && memo.closedUntilMs < limitMs ? memo.closedUntilMs : undefined;
}

function newMemo(): Memo {
  return { fromMs: 0, untilMs: 0, open: false, closedFromMs: 0, closedUntilMs: 0, opensThen: false };
}

function isCivilTime(timeMs: number): boolean {
  return timeMs >= 0 && timeMs < END_OF_TIME_MS;
}

/** The state at `timeMs`, which lasts until a window's edge, local midnight or a clock change, whichever is first. */
function segmentAt(schedule: Schedule, timeMs: number): Segment {
  const { zone } = schedule;
  const offsetMs = zone.offsetMsAt(timeMs);
  const localMs = timeMs + offsetMs;
  const day = Math.floor(localMs / DAY_MS);
  const { open, untilMinute } = stateOfDay(schedule, day, (localMs - day * DAY_MS) / MINUTE_MS);
  const untilMs = day * DAY_MS + untilMinute * MINUTE_MS - offsetMs;
  return {
    open,
    untilMs: zone.offsetMsAt(untilMs) === offsetMs ? untilMs : clockChange(schedule, timeMs, untilMs),
  };
}

function stateOfDay(schedule: Schedule, day: number, minute: number): { open: boolean; untilMinute: number } {
  const endOfDay = { open: false, untilMinute: DAY_MS / MINUTE_MS };
  if (schedule.closedDays.has(day)) return endOfDay;
  // Day 0 was a Thursday; west of Greenwich the first local day is -1.
  for (const range of schedule.week[(day + 4) % 7] ?? []) {
    if (minute < range.from) return { open: false, untilMinute: range.from };
    if (minute < range.to) return { open: true, untilMinute: range.to };
  }
  return endOfDay;
}

/** The first millisecond after `fromMs` with another offset, given that `toMs` has one. */
function clockChange({ zone }: Schedule, fromMs: number, toMs: number): number {
  const offsetMs = zone.offsetMsAt(fromMs);
  let before = Math.floor(fromMs);
  let after = toMs;
  while (after - before > 1) {
    const middle = Math.floor((before + after) / 2);
    if (zone.offsetMsAt(middle) === offsetMs) before = middle;
    else after = middle;
  }
  return after;
}

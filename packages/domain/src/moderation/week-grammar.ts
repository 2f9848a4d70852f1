/** A part of a day in minutes of the wall clock, `from` included and `to` not. */
export interface MinuteRange {
  readonly from: number;
  readonly to: number;
}

/** By weekday from Sunday: the parts that are open, in order, neither overlapping nor touching. */
export type OpenWeek = readonly (readonly MinuteRange[])[];

/** A mistake in a window and its place. */
export interface WindowFault {
  /** The window's place in the list. */
  readonly index: number;
  /** The character where reading stopped, from 1. */
  readonly position: number;
  /** The form that is needed there. The text itself is not in it. */
  readonly message: string;
}

const DAY_MINUTES = 1440;
const WEEKDAYS = ['Sun', 'Mon', 'Tue', 'Wed', 'Thu', 'Fri', 'Sat'];
const DAYS = /(Sun|Mon|Tue|Wed|Thu|Fri|Sat)(?:-(Sun|Mon|Tue|Wed|Thu|Fri|Sat))?/y;
const RANGE = /(\d{2}):(\d{2})-(\d{2}):(\d{2})/y;
const COMMA = /, */y;
const GAP = / +/y;

const MAX_KEPT = 1_000;
const weeks = new Map<string, OpenWeek>();

/**
 * Reads weekly windows, or says what is wrong with each that is not understood.
 *
 * A window is days, a space, and times: `Mon-Fri 08:00-18:00`, `Sat,Sun 10:00-14:00`, `Mon 08:00-12:00,13:00-17:00`.
 * Days may run over the end of the week (`Fri-Mon`). Times go from 00:00 to 24:00; an end before its start lies on the
 * next day (`22:00-06:00`). Windows that overlap are one. The weeks read last are kept, since many lines share few.
 */
export function readWeek(windows: readonly string[]): { week: OpenWeek } | { faults: WindowFault[] } {
  const key = JSON.stringify(windows);
  const known = weeks.get(key);
  if (known) return { week: known };

  const openByWeekday: MinuteRange[][] = WEEKDAYS.map(() => []);
  const faults: WindowFault[] = [];
  windows.forEach((text, index) => {
    const found = readWindow(text, openByWeekday);
    if (found) faults.push({ index, ...found });
  });
  if (faults.length > 0) return { faults };

  const week = openByWeekday.map(merge);
  if (weeks.size >= MAX_KEPT) weeks.clear();
  weeks.set(key, week);
  return { week };
}

type Fault = Omit<WindowFault, 'index'>;

function readWindow(text: string, openByWeekday: MinuteRange[][]): Fault | undefined {
  const weekdays = new Set<number>();
  let at = 0;
  let separator: string | undefined;
  do {
    const days = matchAt(DAYS, text, at);
    if (!days) return fault(at, 'needs a day here: Mon, Tue, Wed, Thu, Fri, Sat or Sun');
    addWeekdays(weekdays, WEEKDAYS.indexOf(days[1] ?? ''), WEEKDAYS.indexOf(days[2] ?? days[1] ?? ''));
    at += days[0].length;
    separator = matchAt(COMMA, text, at)?.[0];
    at += separator?.length ?? 0;
  } while (separator !== undefined);

  const gap = matchAt(GAP, text, at);
  if (!gap) return fault(at, 'needs a space here and then a time range such as 08:00-18:00');
  at += gap[0].length;

  do {
    const range = matchAt(RANGE, text, at);
    if (!range) return fault(at, 'needs a time range here such as 08:00-18:00');
    const from = minuteOfDay(range[1], range[2]);
    const to = minuteOfDay(range[3], range[4]);
    if (from === undefined || to === undefined || from === DAY_MINUTES) {
      return fault(at, 'needs times here from 00:00 to 24:00, starting before 24:00');
    }
    if (from === to) return fault(at, 'starts and ends at the same time; a whole day is 00:00-24:00');
    for (const weekday of weekdays) addRange(openByWeekday, weekday, { from, to });
    at += range[0].length;
    separator = matchAt(COMMA, text, at)?.[0];
    at += separator?.length ?? 0;
  } while (separator !== undefined);

  return at === text.length ? undefined : fault(at, 'has something after its last time range');
}

function fault(at: number, message: string): Fault {
  return { position: at + 1, message: `${message} (character ${at + 1})` };
}

function matchAt(pattern: RegExp, text: string, at: number): RegExpExecArray | null {
  pattern.lastIndex = at;
  return pattern.exec(text);
}

function addWeekdays(weekdays: Set<number>, first: number, last: number): void {
  for (let day = first; ; day = (day + 1) % 7) {
    weekdays.add(day);
    if (day === last) return;
  }
}

function addRange(openByWeekday: MinuteRange[][], weekday: number, { from, to }: MinuteRange): void {
  if (from < to) {
    openByWeekday[weekday]?.push({ from, to });
    return;
  }
  openByWeekday[weekday]?.push({ from, to: DAY_MINUTES });
  if (to > 0) openByWeekday[(weekday + 1) % 7]?.push({ from: 0, to });
}

function minuteOfDay(hours: string | undefined, minutes: string | undefined): number | undefined {
  const minute = Number(hours) * 60 + Number(minutes);
  return Number(minutes) < 60 && minute <= DAY_MINUTES ? minute : undefined;
}

function merge(ranges: MinuteRange[]): MinuteRange[] {
  const merged: MinuteRange[] = [];
  for (const range of ranges.sort((a, b) => a.from - b.from)) {
    const last = merged.at(-1);
    if (last && range.from <= last.to) {
      merged[merged.length - 1] = { from: last.from, to: Math.max(last.to, range.to) };
    } else {
      merged.push(range);
    }
  }
  return merged;
}

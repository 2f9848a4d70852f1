import { InvalidArgumentError } from 'commander';

const UNITS: Readonly<Record<string, number>> = { '': 1, ms: 1, s: 1_000, m: 60_000 };

const LONGEST_TIMER_MS = 2 ** 31 - 1;

/** Reads `10s`, `500ms`, `2m` or a plain number of ms. Above 0; more than a timer can take, 24.8 days, counts as that. */
export function parseDurationMs(text: string): number {
  const [, amount, unit = ''] = /^(\d+)(ms|s|m)?$/.exec(text) ?? [];
  const ms = Number(amount) * (UNITS[unit] ?? Number.NaN);
  if (!(ms > 0)) throw new InvalidArgumentError('Give a time such as 10s, 500ms, or ms as a number.');
  return Math.min(ms, LONGEST_TIMER_MS);
}

const RFC_3339 = /^\d{4}-\d{2}-\d{2}T(?!24)\d{2}:\d{2}:\d{2}(\.\d{1,9})?(Z|[+-]\d{2}:\d{2})$/i;
const A_TIME = 'a time such as 2026-12-24T18:00:00+01:00';

/** Reads a time of RFC 3339, offset included, as ms since the epoch. */
export function parseTimeMs(text: string): number {
  return timeOr(text, `Give ${A_TIME}.`);
}

const AGE_UNITS: Readonly<Record<string, number>> = { s: 1_000, m: 60_000, h: 3_600_000, d: 86_400_000 };

/** Reads a time of RFC 3339, or an age such as `7d`, `12h`, `30m` or `90s` before now, as ms since the epoch. */
export function parseSinceMs(text: string): number {
  const [, amount, unit = ''] = /^(\d{1,7})([smhd])$/.exec(text) ?? [];
  if (amount !== undefined) return Math.max(0, Date.now() - Number(amount) * (AGE_UNITS[unit] ?? Number.NaN));
  return timeOr(text, `Give an age such as 7d or 12h, or ${A_TIME}.`);
}

function timeOr(text: string, advice: string): number {
  const ms = RFC_3339.test(text) && isOfCalendar(text) ? Date.parse(text) : Number.NaN;
  if (Number.isNaN(ms)) throw new InvalidArgumentError(advice);
  return ms;
}

/** Tests that the month has the day. Date.parse takes the 30th of February for the 2nd of March. */
function isOfCalendar(text: string): boolean {
  const [date = ''] = text.split(/T/i);
  const ms = Date.parse(date);
  return !Number.isNaN(ms) && new Date(ms).toISOString().startsWith(date);
}

/** Reads a whole number from a smallest one to the largest of a uint32. */
export function wholeNumberFrom(smallest: number): (text: string) => number {
  return (text) => {
    const value = /^\d{1,10}$/.test(text) ? Number(text) : Number.NaN;
    if (value >= smallest && value < 2 ** 32) return value;
    throw new InvalidArgumentError(`Give a whole number, ${smallest} or more.`);
  };
}

/** The google.protobuf.Timestamp of ms since the epoch. */
export function timestampOf(ms: number): { seconds: bigint; nanos: number } {
  const seconds = Math.floor(ms / 1000);
  return { seconds: BigInt(seconds), nanos: (ms - seconds * 1000) * 1_000_000 };
}

const OR = new Intl.ListFormat('en-GB', { type: 'disjunction' });

/** Finds the key of a choice in a table of choices. Throws InvalidArgumentError for a text that is none. */
export function keyOfChoice<K extends string>(choices: Readonly<Record<K, string>>, given: string): K {
  for (const key in choices) if (choices[key] === given) return key;
  throw new InvalidArgumentError(`Give ${OR.format(Object.values(choices))}.`);
}

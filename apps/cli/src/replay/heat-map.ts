import type { ReplayHour } from '@callpass/contract';
import type { Part } from '../output.ts';

/** The days in the order of their numbers. */
export const WEEKDAYS = ['Mon', 'Tue', 'Wed', 'Thu', 'Fri', 'Sat', 'Sun'] as const;

const SHADES = ['░', '▒', '▓', '█'] as const;
const NOTHING = ' ';
const EMPTY_HOUR = '·';

/** Characters of a line of a heat map. */
export const HEAT_MAP_WIDTH = 3 + 24 * 3;

/**
 * Lines of a heat map of the week: for each hour the issued on the left and the would-be-refused on the right, both on one
 * scale, so that it reads without colours too.
 */
export function heatMap(hours: readonly ReplayHour[]): readonly (readonly Part[])[] {
  const most = mostOf(hours);
  const header = Array.from({ length: 24 }, (_, hour) => ` ${String(hour).padStart(2, '0')}`).join('');
  const rows = WEEKDAYS.map((name, index) => [
    { text: name },
    ...hours.filter(({ weekday }) => weekday === index + 1).flatMap((counts) => cell(counts, most)),
  ]);
  return [[{ text: `   ${header}` }], ...rows];
}

/** The number that each shade stands for: the largest of it. */
export function shadesOf(hours: readonly ReplayHour[]): readonly { shade: string; upTo: number }[] {
  const most = mostOf(hours);
  return SHADES.map((shade, index) => ({ shade, upTo: Math.floor((most * (index + 1)) / SHADES.length) }));
}

/** The scale of both sides: the most issued in an hour. */
function mostOf(hours: readonly ReplayHour[]): number {
  return Math.max(1, ...hours.map(({ issuedCount }) => Number(issuedCount)));
}

function cell({ issuedCount, wouldBeRefusedCount }: ReplayHour, most: number): Part[] {
  if (issuedCount === 0n) return [{ text: ` ${EMPTY_HOUR}${NOTHING}` }];
  return [
    { text: ' ' },
    { text: shadeOf(issuedCount, most), tone: 'good' },
    { text: shadeOf(wouldBeRefusedCount, most), tone: 'bad' },
  ];
}

function shadeOf(count: bigint, most: number): string {
  if (count === 0n) return NOTHING;
  return SHADES[Math.ceil((Number(count) * SHADES.length) / most) - 1] ?? NOTHING;
}

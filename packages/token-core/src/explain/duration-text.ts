const UNITS = [
  { name: 'd', ms: 86_400_000 },
  { name: 'h', ms: 3_600_000 },
  { name: 'min', ms: 60_000 },
  { name: 's', ms: 1000 },
  { name: 'ms', ms: 1 },
];

/** A length of time for people, in its two largest units and rounded down: `3 min 5 s`. At least 0 ms. */
export function durationText(durationMs: number): string {
  const first = UNITS.findIndex(({ ms }) => durationMs >= ms);
  if (first < 0) return '0 ms';
  let rest = Math.floor(durationMs);
  const words: string[] = [];
  for (const { name, ms } of UNITS.slice(first, first + 2)) {
    const count = Math.floor(rest / ms);
    rest -= count * ms;
    if (count > 0) words.push(`${count} ${name}`);
  }
  return words.join(' ');
}

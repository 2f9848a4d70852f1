/** Seconds of a day. */
export const DAY_SECONDS = 86_400;
const UNITS = [
  [DAY_SECONDS, 'd', 3600, 'h'],
  [3600, 'h', 60, 'min'],
  [60, 'min', 1, 's'],
] as const;

/** Text for a number that is not known. */
export const UNKNOWN = '-';

/** A rate with as many digits as it is worth. */
export function rateText(perSecond: number | undefined): string {
  if (perSecond === undefined) return UNKNOWN;
  if (perSecond === 0) return '0';
  if (perSecond < 10) return perSecond.toFixed(2);
  return perSecond < 100 ? perSecond.toFixed(1) : Math.round(perSecond).toLocaleString('en-US');
}

/** A duration of a call: `4.9 ms`, `1.20 s`. */
export function latencyText(seconds: number | undefined): string {
  if (seconds === undefined) return UNKNOWN;
  if (seconds >= 1) return `${seconds.toFixed(2)} s`;
  const ms = seconds * 1000;
  return `${ms.toFixed(ms < 9.95 ? 1 : 0)} ms`;
}

/** A span of time in its two largest units: `12 d 4 h`, `3 min 5 s`. */
export function spanText(seconds: number | undefined): string {
  if (seconds === undefined) return UNKNOWN;
  const whole = Math.floor(Math.abs(seconds));
  for (const [size, unit, smallerSize, smallerUnit] of UNITS) {
    if (whole < size) continue;
    const smaller = Math.floor((whole % size) / smallerSize);
    return `${Math.floor(whole / size).toLocaleString('en-US')} ${unit}${smaller > 0 ? ` ${smaller} ${smallerUnit}` : ''}`;
  }
  return `${whole} s`;
}

/** The time until something is due; below 0 it is past. */
export function dueText(inSeconds: number): string {
  return inSeconds < 0 ? `overdue for ${spanText(inSeconds)}` : spanText(inSeconds);
}

/** A share of 1 in percent, never rounded up to a hundred. */
export function percentText(share: number | undefined): string {
  return share === undefined ? UNKNOWN : `${Math.floor(share * 100)} %`;
}

/** Bytes in MiB. */
export function memoryText(bytes: number | undefined): string {
  return bytes === undefined ? UNKNOWN : `${Math.round(bytes / 1024 / 1024).toLocaleString('en-US')} MiB`;
}

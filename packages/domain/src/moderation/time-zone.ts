/** A place's difference from UTC, at any time. */
export interface TimeZone {
  /** Offset of the wall clock from UTC at `timeMs` (since the epoch), in milliseconds. */
  offsetMsAt(timeMs: number): number;
}

/** Names are compared without case, so this bounds what a hostile document can make us keep. */
const MAX_KEPT = 5_000;
const NAME = /^[A-Za-z][A-Za-z0-9_+/-]{0,63}$/;
const OFFSET = /GMT(?:([+-])(\d{2}):(\d{2})(?::(\d{2}))?)?$/;

const zones = new Map<string, TimeZone | undefined>();

/**
 * The zone of that name in the IANA database, or `undefined`. Offsets such as `+01:00` are no names. Both answers are
 * kept, because asking Intl takes some hundred microseconds.
 */
export function findTimeZone(name: string): TimeZone | undefined {
  if (!NAME.test(name)) return undefined;
  const key = name.toLowerCase();
  if (zones.has(key)) return zones.get(key);
  const zone = createTimeZone(name);
  if (zones.size >= MAX_KEPT) zones.clear();
  zones.set(key, zone);
  return zone;
}

function createTimeZone(name: string): TimeZone | undefined {
  let format: Intl.DateTimeFormat;
  try {
    format = new Intl.DateTimeFormat('en-US', { timeZone: name, timeZoneName: 'longOffset' });
  } catch {
    return undefined;
  }
  return {
    offsetMsAt(timeMs) {
      const [, sign, hours = '0', minutes = '0', seconds = '0'] = OFFSET.exec(format.format(timeMs)) ?? [];
      const offsetMs = ((Number(hours) * 60 + Number(minutes)) * 60 + Number(seconds)) * 1000;
      return sign === '-' ? -offsetMs : offsetMs;
    },
  };
}

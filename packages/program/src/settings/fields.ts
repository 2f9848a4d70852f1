import { z } from 'zod';
import { isHostAndPort } from '../address.ts';
import { readPlainYaml } from '../yaml/plain-values.ts';

const UNITS_MS = { ms: 1, s: 1000, m: 60_000, h: 3_600_000 } as const;

/** Address of a web page, `http` or `https`. */
export const webAddress = z.url({
  protocol: /^https?$/,
  error: 'expected an address such as https://docs.example',
});

/** A length of time such as `500ms`, `10s`, `5m`; read as milliseconds. */
export const duration = (bounds: { minMs: number; maxMs: number }) =>
  z
    .string()
    .regex(/^\d{1,9}(ms|s|m|h)$/, 'expected a length of time such as 500ms, 10s or 5m')
    .transform((text) => {
      const [, count, unit] = /^(\d+)(ms|s|m|h)$/.exec(text) ?? [];
      return Number(count) * UNITS_MS[unit as keyof typeof UNITS_MS];
    })
    .refine((ms) => ms >= bounds.minMs && ms <= bounds.maxMs, {
      message: `expected ${bounds.minMs} ms to ${bounds.maxMs} ms`,
    });

/** A moment such as `2026-11-26T21:05:00Z`; read as milliseconds since the Unix epoch. */
export const moment = z.iso
  .datetime({ offset: true, error: 'expected a time such as 2026-11-26T21:05:00Z' })
  .transform((text) => Date.parse(text));

/** A whole number, also as the text an environment variable holds. */
export const wholeNumber = (bounds: { min: number; max: number }) =>
  z.coerce.number().int().min(bounds.min).max(bounds.max);

/** `true`/`false`, also as the text an environment variable holds. */
export const flag = z.union([z.boolean(), z.enum(['true', 'false']).transform((text) => text === 'true')]);

/** An address where a server listens or is reached, `host:port`; an IPv6 address stands in brackets. Port 0 takes a free one. */
export const hostAndPort = z.string().refine(isHostAndPort, 'expected host:port, with a port up to 65535');

/** A list of texts; in an environment variable the texts are parted by commas. */
export const textList = z.preprocess(
  (value) =>
    typeof value === 'string'
      ? value
          .split(',')
          .map((text) => text.trim())
          .filter((text) => text !== '')
      : value,
  z.array(z.string().min(1)),
);

/** A list of sections; an environment variable holds it as YAML or JSON, such as `[{"issuer": "https://…"}]`. */
export const sectionList = <Section extends z.ZodType>(section: Section) =>
  z.preprocess((value) => (typeof value === 'string' ? parsed(value) : value), z.array(section));

/** Parses a list in YAML. Invalid YAML stays a text, so the problem names the setting and never shows its value. */
function parsed(text: string): unknown {
  try {
    return readPlainYaml(text).value;
  } catch {
    return text;
  }
}

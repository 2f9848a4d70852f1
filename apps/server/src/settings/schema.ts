import { z } from 'zod';

const UNITS_MS = { ms: 1, s: 1000, m: 60_000, h: 3_600_000 } as const;

/** A length of time such as `500ms`, `10s`, `5m`; read as milliseconds. */
const duration = (bounds: { minMs: number; maxMs: number }) =>
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

const wholeNumber = (bounds: { min: number; max: number }) =>
  z.coerce.number().int().min(bounds.min).max(bounds.max);

/** `true`/`false`, also as the text an environment variable holds. */
const flag = z.union([z.boolean(), z.enum(['true', 'false']).transform((text) => text === 'true')]);

/** Every setting of the server with its default. settings.sample.yaml documents each; a test keeps the two equal. */
export const settingsSchema = z.strictObject({
  listen: z
    .strictObject({
      address: z
        .string()
        .regex(/^(\[[0-9a-fA-F:.]+\]|[^\s:[\]]+):\d{1,5}$/, 'expected host:port')
        .default('127.0.0.1:50051'),
    })
    .prefault({}),
  store: z
    .strictObject({
      url: z
        .string()
        .regex(/^(sqlite:.+|postgres(ql)?:\/\/.+)$/, 'expected sqlite:PATH or postgres://…')
        .default('sqlite:callpass.db'),
      migrateOnStart: flag.default(true),
      pollInterval: duration({ minMs: 50, maxMs: 2000 }).prefault('500ms'),
    })
    .prefault({}),
  keyEncryption: z
    .strictObject({
      keyFile: z.string().min(1).optional(),
      key: z.string().min(1).optional(),
    })
    .prefault({}),
  requests: z
    .strictObject({
      maxMessageBytes: wholeNumber({ min: 64 * 1024, max: 64 * 1024 * 1024 }).default(4 * 1024 * 1024),
    })
    .prefault({}),
  drain: z
    .strictObject({
      grace: duration({ minMs: 0, maxMs: 600_000 }).prefault('10s'),
    })
    .prefault({}),
  reflection: flag.default(true),
  log: z
    .strictObject({ level: z.enum(['debug', 'info', 'warn', 'error', 'silent']).default('info') })
    .prefault({}),
});

/** The settings, complete and checked. Lengths of time are in milliseconds. */
export type Settings = Readonly<z.output<typeof settingsSchema>>;

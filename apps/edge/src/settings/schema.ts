import {
  doorSettings,
  duration,
  flag,
  hostAndPort,
  textList,
  webAddress,
  wholeNumber,
} from '@callpass/program/settings';
import { z } from 'zod';

const HOUR_MS = 3_600_000;
const file = z.string().min(1).optional();
const secret = z.string().min(32, 'expected 32 characters or more');
const count = (max: number) => wholeNumber({ min: 1, max });

const pairOf = (text: string): [string, string | undefined] => {
  const [name = '', value] = text.split('=').map((part) => part.trim());
  return [name, value];
};

/** Pairs such as `{front-desk: support}`; in an environment variable `front-desk=support,back-office=sales`. */
const pairs = z.preprocess(
  (value) => (typeof value === 'string' ? Object.fromEntries(value.split(',').map(pairOf)) : value),
  z.record(z.string().min(1), z.string().min(1)),
);

/** Every setting of the edge with its default. settings.sample.yaml documents each; a test keeps the two equal. */
export const settingsSchema = z.strictObject({
  listen: z
    .strictObject({
      address: hostAndPort.default('127.0.0.1:8080'),
      allowPlaintext: flag.default(false),
      certFile: file,
      keyFile: file,
    })
    .prefault({}),
  service: z
    .strictObject({
      address: z.string().min(1).default('127.0.0.1:50051'),
      timeout: duration({ minMs: 50, maxMs: 60_000 }).prefault('2500ms'),
      tls: flag.default(false),
      plaintextEncryptedBy: z.string().min(1).optional(),
      caFile: file,
      certFile: file,
      keyFile: file,
      tokenFile: file,
      token: z.string().min(1).optional(),
    })
    .prefault({}),
  origins: textList.prefault([]),
  trustedProxies: textList.prefault([]),
  visitor: z
    .strictObject({
      secretFile: file,
      secrets: textList.pipe(z.array(secret)).prefault([]),
      header: z
        .string()
        .regex(/^[A-Za-z0-9-]+$/, 'expected the name of a header')
        .transform((name) => name.toLowerCase())
        .optional(),
      sameSite: z.enum(['lax', 'strict', 'none']).default('lax'),
      lifetime: duration({ minMs: 60_000, maxMs: 400 * 24 * HOUR_MS }).prefault('720h'),
    })
    .prefault({}),
  limits: z
    .strictObject({
      window: duration({ minMs: 1000, maxMs: HOUR_MS }).prefault('60s'),
      perVisitor: count(1_000_000_000).default(30),
      perAddress: count(1_000_000_000).default(300),
    })
    .prefault({}),
  humanCheck: z
    .strictObject({
      kind: z.enum(['none', 'altcha']).default('none'),
      secretFile: file,
      secret: secret.optional(),
      cost: count(1_000_000).default(5000),
      lifetime: duration({ minMs: 10_000, maxMs: HOUR_MS }).prefault('5m'),
    })
    .prefault({}),
  compatibilityRoutes: z
    .strictObject({
      defaultDestination: z.string().min(1).max(64).optional(),
      identifiers: pairs.prefault({}),
    })
    .prefault({}),
  authorize: z
    .strictObject({
      realms: textList.prefault([]),
      proxies: textList.prefault([]),
      accelRedirect: z.string().optional(),
      ...doorSettings,
    })
    .prefault({}),
  requests: z
    .strictObject({
      maxBodyBytes: wholeNumber({ min: 512, max: 65_536 }).default(4096),
      maxHeaderBytes: wholeNumber({ min: 2048, max: 65_536 }).default(16_384),
      headersTimeout: duration({ minMs: 500, maxMs: 120_000 }).prefault('5s'),
      timeout: duration({ minMs: 500, maxMs: 120_000 }).prefault('10s'),
    })
    .prefault({}),
  connections: z
    .strictObject({
      max: count(100_000).default(16_384),
      maxPerPeer: wholeNumber({ min: 0, max: 100_000 }).optional(),
      idle: duration({ minMs: 1000, maxMs: HOUR_MS }).prefault('65s'),
      maxRequests: count(1_000_000_000).default(10_000),
    })
    .prefault({}),
  drain: z
    .strictObject({
      delay: duration({ minMs: 0, maxMs: 120_000 }).prefault('0s'),
      grace: duration({ minMs: 0, maxMs: 600_000 }).prefault('10s'),
    })
    .prefault({}),
  documentationUrl: webAddress.optional(),
  telemetry: z
    .strictObject({ trustTraceparentOf: z.enum(['nobody', 'everybody']).default('nobody') })
    .prefault({}),
  log: z
    .strictObject({
      level: z.enum(['debug', 'info', 'warn', 'error', 'silent']).default('info'),
      requests: z.preprocess(
        // The word of the server's setting.
        (value) => (value === 'none' ? 'off' : value),
        z.enum(['off', 'refused', 'all']).default('off'),
      ),
    })
    .prefault({}),
});

/** The settings, complete and checked. Lengths of time are in milliseconds. */
export type Settings = Readonly<z.output<typeof settingsSchema>>;

import {
  doorSettings,
  duration,
  flag,
  hostAndPort,
  moment,
  webAddress,
  wholeNumber,
} from '@callpass/program/settings';
import { isReadableStoreUrl, isStoreUrl, STORE_URL_FORMS } from '@callpass/storage';
import { z } from 'zod';
import { jwtIssuers, operators } from './identities.ts';

/** Every setting of the server with its default. settings.sample.yaml documents each; a test keeps the two equal. */
export const settingsSchema = z.strictObject({
  listen: z
    .strictObject({
      address: hostAndPort.default('127.0.0.1:50051'),
      reusePort: flag.default(false),
      allowPlaintext: flag.default(false),
      plaintextEncryptedBy: z.string().min(1).optional(),
    })
    .prefault({}),
  tls: z
    .strictObject({
      certFile: z.string().min(1).optional(),
      keyFile: z.string().min(1).optional(),
      clientCaFile: z.string().min(1).optional(),
      clientCertificates: z.enum(['required', 'optional']).default('optional'),
    })
    .prefault({}),
  identity: z.strictObject({ jwt: jwtIssuers.prefault([]) }).prefault({}),
  store: z
    .strictObject({
      url: z
        .string()
        .refine(isStoreUrl, `expected ${STORE_URL_FORMS}`)
        .refine(isReadableStoreUrl, 'is not a URL; special characters of a password are written as %XX')
        .default('sqlite:callpass.db'),
      migrateOnStart: flag.default(true),
      reserveBytes: wholeNumber({ min: 0, max: 1024 * 1024 * 1024 }).default(32 * 1024 * 1024),
      pollInterval: duration({ minMs: 50, maxMs: 2000 }).prefault('500ms'),
      maxSnapshotAge: duration({ minMs: 3000, maxMs: 86_400_000 }).prefault('60s'),
    })
    .prefault({}),
  ledger: z
    .strictObject({
      keepFor: duration({ minMs: 86_400_000, maxMs: 315_360_000_000 }).optional(),
      anchorFile: z.string().min(1).optional(),
      anchorInterval: duration({ minMs: 1000, maxMs: 86_400_000 }).prefault('10m'),
    })
    .prefault({}),
  limits: z
    .strictObject({
      url: z
        .string()
        .regex(/^(memory:|rediss?:\/\/.+)$/, 'expected memory:, redis://… or rediss://…')
        .refine(
          (url) => URL.canParse(url),
          'is not a URL; special characters of a password are written as %XX',
        )
        .default('memory:'),
      timeout: duration({ minMs: 10, maxMs: 1000 }).prefault('150ms'),
      keyPrefix: z.string().max(128).default('{callpass}:'),
      perInstance: flag.default(false),
    })
    .prefault({}),
  authorize: z
    .strictObject({
      enabled: flag.default(false),
      ...doorSettings,
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
  overload: z
    .strictObject({
      maxInFlight: wholeNumber({ min: 1, max: 100_000 }).default(512),
      maxEventLoopLag: duration({ minMs: 10, maxMs: 10_000 }).prefault('250ms'),
      maxCallTime: duration({ minMs: 100, maxMs: 600_000 }).prefault('10s'),
    })
    .prefault({}),
  connections: z
    .strictObject({
      maxAge: duration({ minMs: 1000, maxMs: 86_400_000 }).prefault('30m'),
      maxAgeGrace: duration({ minMs: 100, maxMs: 600_000 }).prefault('30s'),
      maxIdle: duration({ minMs: 1000, maxMs: 86_400_000 }).prefault('10m'),
      keepaliveInterval: duration({ minMs: 1000, maxMs: 86_400_000 }).prefault('60s'),
      keepaliveTimeout: duration({ minMs: 100, maxMs: 600_000 }).prefault('20s'),
      maxConcurrentStreams: wholeNumber({ min: 1, max: 10_000 }).default(128),
      max: wholeNumber({ min: 1, max: 1_000_000 }).default(2048),
      maxPerPeer: wholeNumber({ min: 0, max: 1_000_000 }).default(1024),
      handshakeTimeout: duration({ minMs: 100, maxMs: 600_000 }).prefault('10s'),
      minPingInterval: duration({ minMs: 0, maxMs: 86_400_000 }).prefault('5s'),
      maxResetsPerSecond: wholeNumber({ min: 0, max: 1_000_000 }).default(200),
      maxHeaderBytes: wholeNumber({ min: 4 * 1024, max: 64 * 1024 }).default(16 * 1024),
    })
    .prefault({}),
  clock: z
    .strictObject({
      maxStep: duration({ minMs: 100, maxMs: 60_000 }).prefault('2s'),
      steadyAfter: duration({ minMs: 1000, maxMs: 3_600_000 }).prefault('10s'),
      confirmedAt: moment.optional(),
    })
    .prefault({}),
  drain: z
    .strictObject({
      grace: duration({ minMs: 0, maxMs: 600_000 }).prefault('10s'),
    })
    .prefault({}),
  access: z
    .strictObject({
      local: z.enum(['none', 'everything']).default('none'),
      operators: operators.prefault([]),
    })
    .prefault({}),
  keys: z
    .strictObject({ rotateAfter: duration({ minMs: 3_600_000, maxMs: 87_600_000_000 }).prefault('4380h') })
    .prefault({}),
  telemetry: z
    .strictObject({
      address: hostAndPort.optional(),
      trustTraceparentOf: z.enum(['clients', 'everybody']).default('clients'),
    })
    .prefault({}),
  documentationUrl: webAddress.optional(),
  reflection: flag.default(true),
  log: z
    .strictObject({
      level: z.enum(['debug', 'info', 'warn', 'error', 'silent']).default('info'),
      requests: z.enum(['all', 'refused', 'none']).default('refused'),
    })
    .prefault({}),
});

/** The settings, complete and checked. Lengths of time are in milliseconds. */
export type Settings = Readonly<z.output<typeof settingsSchema>>;

import { z } from 'zod';
import { duration } from './fields.ts';

/** Section `singleUse`: whether an account token opens one session only, and where is kept which are used. */
const singleUse = z
  .strictObject({
    url: z
      .string()
      .regex(/^(off|memory:|rediss?:\/\/.+)$/, 'expected off, memory:, redis://… or rediss://…')
      .refine(
        (url) => url === 'off' || URL.canParse(url),
        'is not a URL; special characters of a password are written as %XX',
      )
      .default('off'),
    timeout: duration({ minMs: 10, maxMs: 1000 }).prefault('150ms'),
    keyPrefix: z.string().max(128).default('{callpass}:session:'),
    whenUnavailable: z.enum(['refuse', 'allow']).default('refuse'),
  })
  .prefault({});

/** Settings of section `authorize` that all doors in front of the vendor's WebRTC gateway have. */
export const doorSettings = { callStart: z.enum(['body', 'accountToken']).default('body'), singleUse };

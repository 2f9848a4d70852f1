import { setImmediate } from 'node:timers/promises';
import { expect, it } from '@jest/globals';
import pg from 'pg';
import { connectionOptions } from './connection.ts';

const LIMITS = { timeoutMs: 1000, lockMs: 100 };

it.each([
  ['prefer', 'verify-full'],
  ['require&x=1', 'verify-full&x=1'],
  ['verify-ca', 'verify-full'],
  ['verify-full', 'verify-full'],
  ['disable', 'disable'],
  ['no-verify', 'no-verify'],
  ['require&uselibpqcompat=true', 'require&uselibpqcompat=true'],
])('sslmode=%s is what the driver makes of it, without a warning of the driver', async (given, used) => {
  const warnings: string[] = [];
  const hear = (warning: Error) => warnings.push(warning.message);
  process.on('warning', hear);
  const options = connectionOptions(`postgres://u@db.example/d?sslmode=${given}`, LIMITS);
  expect(options.connectionString).toBe(`postgres://u@db.example/d?sslmode=${used}`);
  expect(new pg.Client(options).host).toBe('db.example');
  await setImmediate();
  process.off('warning', hear);
  expect(warnings).toEqual([]);
});

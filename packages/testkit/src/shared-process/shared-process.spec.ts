import { spawnSync } from 'node:child_process';
import { createRequire } from 'node:module';
import { expect, it } from '@jest/globals';

const JEST = createRequire(import.meta.url).resolve('jest/bin/jest');
const PROJECT = `${import.meta.dirname}/../..`;

it('files of tests share a process and its modules, and each finds it as the one before has found it', () => {
  const { status, stdout, stderr } = spawnSync(
    process.execPath,
    [JEST, '--runInBand', '--testMatch', '**/*.fixture.ts'],
    { cwd: PROJECT, encoding: 'utf8' },
  );
  expect([status, stderr]).toEqual([0, expect.stringContaining('Tests:       2 passed, 2 total')]);
  expect(stdout + stderr).toMatch(/file 1[^]*file 2/);
});

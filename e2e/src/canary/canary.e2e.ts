import { randomBytes } from 'node:crypto';
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { ENVIRONMENT, run, type Outcome } from '../processes.ts';
import { EMITTED_VARIABLE } from './keep.ts';
import { createScan } from './scan.ts';

describe('the canary scan', () => {
  const value = `visitor ${randomBytes(8).toString('hex')} +?ä`;
  const bytes = Buffer.from(value);
  const scan = createScan([
    { what: 'visitor', value },
    { what: 'key', value: randomBytes(32) },
  ]);
  const scanned = (content: string | Uint8Array) => scan({ place: 'p', content: Buffer.from(content) });

  it.each([
    ['as it is', value],
    ['as it is', value.toUpperCase().replace('Ä', 'ä')],
    ['in hexadecimal', bytes.toString('hex').toUpperCase()],
    ['in base64', bytes.toString('base64')],
    ['in base64url', bytes.toString('base64url')],
    ['percent-encoded', encodeURIComponent(value)],
  ])('finds what is planted %s, in any letter case, wherever it stands', (form, text) => {
    for (const [before, after] of [
      ['', ''],
      ['x', 'y'],
      ['first\nsecond ', '\nlast'],
    ] as const) {
      const line = before.split('\n').length;
      expect(scanned(before + text + after)).toEqual([{ what: 'visitor', form, place: 'p', line }]);
    }
  });

  it('finds nothing in what only begins so, or is something else', () => {
    expect(scanned(value.slice(0, -3))).toEqual([]);
    expect(scanned('')).toEqual([]);
    expect(scanned(randomBytes(100_000))).toEqual([]);
  });

  it.each(['short', 'aaaaaaaaaaaaaaaa'])('takes no canary that chance would find: %s', (easy) => {
    expect(() => createScan([{ what: 'easy', value: easy }])).toThrow(RangeError);
  });
});

describe('a run of end-to-end tests', () => {
  let folder: string;
  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), 'callpass-e2e-'));
  });
  afterAll(() => {
    rmSync(folder, { recursive: true });
  });

  /** A run of the fixture, whose emissions and counts go to a folder of their own. */
  const runFixture = (leak: string): Promise<Outcome> =>
    run(
      'jest',
      ['--config', 'e2e/jest.e2e.config.mjs', '--runInBand', '--testMatch', '**/leaks.fixture.ts'],
      {
        env: {
          ...ENVIRONMENT,
          LEAK: leak,
          [EMITTED_VARIABLE]: join(folder, 'emitted'),
          CALLPASS_TEST_COUNTS: folder,
        },
      },
    );
  const counted = () =>
    readdirSync(folder)
      .filter((name) => name.endsWith('.json'))
      .map((name) => JSON.parse(readFileSync(join(folder, name), 'utf8')) as unknown);

  it('passes where nothing got out, and the scan counts as a test', async () => {
    expect(await runFixture('nothing')).toMatchObject({
      code: 0,
      stderr: expect.stringMatching(/canary scan: .*1 x realm key.*: 0 found/),
    });
    expect(counted()).toEqual([
      { passed: 1, failed: 0, skipped: 0 },
      { passed: 1, failed: 0, skipped: 0 },
    ]);
  });

  it('fails where a key got out although each test passed, says in which line, and does not say the key', async () => {
    const { code, stderr } = await runFixture('key');
    expect(code).not.toBe(0);
    expect(stderr).toMatch(/emitted\/commands\.txt:2: realm key, as it is/);
    expect(counted()).toContainEqual({ passed: 0, failed: 1, skipped: 0 });
    const [key = ''] = /^\S{16}$/m.exec(readFileSync(join(folder, 'emitted', 'commands.txt'), 'utf8')) ?? [];
    expect(key).toHaveLength(16);
    expect(stderr).not.toContain(key);
  });
});

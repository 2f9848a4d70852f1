import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { afterEach, describe, expect, it } from '@jest/globals';
import { buildOf, versionText } from './version.ts';

const folder = mkdtempSync(join(tmpdir(), 'callpass-version-'));
afterEach(() => rmSync(folder, { recursive: true, force: true }));

function textOf(manifest: object): string {
  mkdirSync(folder, { recursive: true });
  writeFileSync(join(folder, 'package.json'), JSON.stringify(manifest));
  return versionText(buildOf(pathToFileURL(join(folder, 'dist', 'main.js')).href));
}

describe('the version of a program', () => {
  it('has the commit of a published package', () => {
    const commit = '0123456789abcdef0123456789abcdef01234567';
    expect(textOf({ version: '1.2.3', gitHead: commit, builtFrom: '2026-01-02T03:04:05Z' })).toBe(
      '1.2.3 (0123456789ab, 2026-01-02T03:04:05Z)',
    );
  });

  it('is the version alone in a working copy', () => {
    expect(textOf({ version: '1.2.3' })).toBe('1.2.3');
  });
});

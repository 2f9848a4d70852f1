import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from '@jest/globals';
import { openFilesLimit } from './connections.ts';

const folder = mkdtempSync(join(tmpdir(), 'callpass-limits-'));
afterAll(() => {
  rmSync(folder, { recursive: true });
});

function limitIn(line: string): number | undefined {
  const file = join(folder, 'limits');
  writeFileSync(file, `Limit Soft Limit Hard Limit Units\n${line}\nMax locked memory 8192 8192 bytes\n`);
  return openFilesLimit(file);
}

describe('openFilesLimit', () => {
  it('is the soft limit as Linux writes it', () => {
    expect(limitIn('Max open files            1024                 524288               files     ')).toBe(
      1024,
    );
  });

  it('is none where there is none, and where the system does not say', () => {
    expect(
      limitIn('Max open files            unlimited            unlimited            files     '),
    ).toBeUndefined();
    expect(openFilesLimit(join(folder, 'none'))).toBeUndefined();
  });
});

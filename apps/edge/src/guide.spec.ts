import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { parse } from 'yaml';
import { settingsSchema } from './settings/schema.ts';

const ROOT = join(import.meta.dirname, '../../..');
const guide = readFileSync(join(ROOT, 'docs/guides/edge.md'), 'utf8');
const samples = (language: string) =>
  [...guide.matchAll(new RegExp(`^\`\`\`${language}\\n(.*?)^\`\`\``, 'gms'))].map(([, code = '']) => code);

// Within the package, so that its imports are found as a reader's would be.
let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(ROOT, 'apps/edge/dist/guide-'));
});
afterAll(() => {
  rmSync(folder, { recursive: true });
});

describe('docs/guides/edge.md', () => {
  it('has samples that compile', () => {
    const names = samples('ts').map((code, at) => {
      const name = join(folder, `sample-${at}.ts`);
      writeFileSync(name, code);
      return name;
    });
    expect(names).toHaveLength(3);
    writeFileSync(
      join(folder, 'tsconfig.json'),
      JSON.stringify({
        extends: join(ROOT, 'tsconfig.base.json'),
        compilerOptions: {
          noEmit: true,
          composite: false,
          incremental: false,
          allowImportingTsExtensions: true,
        },
        files: names,
      }),
    );
    const { stdout, status } = spawnSync(join(ROOT, 'node_modules/.bin/tsc'), ['-p', folder], {
      encoding: 'utf8',
    });
    expect([status, stdout]).toEqual([0, '']);
  }, 120_000);

  it('has settings that are settings', () => {
    const [settings = ''] = samples('yaml');
    expect(settingsSchema.safeParse(parse(settings)).error).toBeUndefined();
  });
});

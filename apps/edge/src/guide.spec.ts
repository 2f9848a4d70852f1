import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import fastify from 'fastify';
import { parse } from 'yaml';
import { createInMemoryCredentialClient } from '@callpass/client/testing';
import type { HumanCheck } from './human-check/human-check.ts';
import { callpassEdge } from './plugin/edge.ts';
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

  it('has a captcha that works as printed, under a prefix too', async () => {
    const sample = samples('ts').find((code) => code.includes('captcha'));
    const file = join(folder, 'captcha.ts');
    writeFileSync(file, sample ?? '');
    const { captcha } = (await import(file)) as { captcha: HumanCheck };
    const realFetch = globalThis.fetch;
    globalThis.fetch = async (_url, init) =>
      Response.json({ success: (init?.body as URLSearchParams).get('proof') === 'good' });
    try {
      for (const prefix of ['', '/calls', '/a/b']) {
        const app = fastify();
        const client = createInMemoryCredentialClient();
        await app.register(callpassEdge, { prefix, client, humanCheck: captcha });
        const ask = async (path: string, proof?: string) => {
          const headers = proof === undefined ? {} : { 'callpass-human-check': proof };
          const answer = await app.inject({ method: 'POST', url: `${prefix}${path}`, headers });
          return answer.statusCode === 200 ? 200 : answer.json().reason;
        };
        const path = (id: string) => `/v1/destinations/${id}/credentials`;
        expect(await ask(path('support'))).toBe('HUMAN_CHECK_REQUIRED');
        expect(await ask(path('support'), 'bad')).toBe('HUMAN_CHECK_REQUIRED');
        expect(await ask(path('support'), 'good')).toBe(200);
        expect(await ask(path('staff'))).toBe(200);
        expect(await ask(path('%73taff'))).toBe(200);
        await app.close();
      }
    } finally {
      globalThis.fetch = realFetch;
    }
  });

  it('has settings that are settings', () => {
    const [settings = ''] = samples('yaml');
    expect(settingsSchema.safeParse(parse(settings)).error).toBeUndefined();
  });
});

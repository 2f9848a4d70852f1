import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { runCommandLine } from '@callpass/testkit/run-command-line';
import { processorMs, YAML_BOMB_MS, YAML_BOMBS } from '@callpass/testkit/yaml-bombs';
import { createProgram } from './program.ts';

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'callpass-edge-program-'));
});
afterAll(() => {
  rmSync(folder, { recursive: true });
});

const check = (text: string) => {
  const settings = join(folder, 'settings.yaml');
  writeFileSync(settings, text);
  return runCommandLine(createProgram, ['check-config', '--settings', settings]);
};

describe('callpass-edge check-config', () => {
  it('says that the settings hold', async () => {
    const { code, stdout } = await check('origins: [https://www.example.org]\n');
    expect([code, stdout]).toEqual([0, `${join(folder, 'settings.yaml')}: ok\n`]);
  });

  it.each(YAML_BOMBS)('refuses soon, with its line: %s', async (_name, text) => {
    let outcome = { code: 0, stderr: '' };
    expect(await processorMs(async () => (outcome = await check(text)))).toBeLessThan(YAML_BOMB_MS);
    expect(outcome.code).toBe(2);
    expect(outcome.stderr).toMatch(/^callpass-edge: [^\n]+line \d+\)/);
  });

  it('says what to do next about a command that is none', async () => {
    const { code, stderr } = await runCommandLine(createProgram, ['isue']);
    expect([code, stderr]).toEqual([
      2,
      "callpass-edge: unknown command 'isue'\n(--help says what is possible)\n",
    ]);
  });

  it.each([
    ['trustedProxies', 'trustedProxies: [10.0.0.0/8, proxy.example]', 'trustedProxies[1]: "proxy.example"'],
    [
      'authorize.proxies',
      'authorize: { realms: [r], proxies: [10.0.0.0/99] }',
      'authorize.proxies[0]: "10.0.0.0/99"',
    ],
  ])('names the entry of %s that is no address, and what may stand there', async (_name, text, entry) => {
    const { code, stderr } = await check(text);
    expect(code).toBe(2);
    expect(stderr).toContain(`callpass-edge: ${entry} is none; expected an address, a range `);
  });
});

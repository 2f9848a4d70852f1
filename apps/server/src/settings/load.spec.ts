import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { parse } from 'yaml';
import { STORE_URL_FORMS } from '@callpass/storage';
import { leafPaths, variableOf } from '@callpass/program/settings';
import { chooseSettingsFile, loadServerSettings, SETTINGS_PREFIX } from './load.ts';
import { settingsSchema } from './schema.ts';

const SAMPLE = join(import.meta.dirname, '..', '..', 'settings.sample.yaml');
describe('settings.sample.yaml', () => {
  const text = readFileSync(SAMPLE, 'utf8');

  it('shows every setting with its default and its variable', () => {
    expect(loadServerSettings({ file: SAMPLE, environment: {} })).toEqual(
      loadServerSettings({ environment: {} }),
    );
    for (const path of leafPaths(settingsSchema)) {
      expect(text).toContain(`${path[path.length - 1]}:`);
      expect(text).toContain(`# ${variableOf(SETTINGS_PREFIX, path)}\n`);
    }
  });

  it('names the URL of each kind of store', () => {
    const schemes = STORE_URL_FORMS.split(' or ').map((form) => form.slice(0, form.indexOf(':') + 1));
    for (const scheme of schemes) expect(text).toMatch(new RegExp(`# .*\\b${scheme}`));
  });

  it('names no variable that does not exist', () => {
    const named = [...text.matchAll(/CALLPASS_[A-Z_]+/g)].map(([name]) => name);
    expect(named.sort()).toEqual(
      leafPaths(settingsSchema)
        .map((path) => variableOf(SETTINGS_PREFIX, path))
        .sort(),
    );
    expect(parse(text)).toBeTruthy();
  });
});

describe('chooseSettingsFile', () => {
  it.each([
    ['what is given', 'a.yaml', { CALLPASS_SETTINGS: 'b.yaml' }, true, 'a.yaml'],
    ['what the variable names', undefined, { CALLPASS_SETTINGS: 'b.yaml' }, true, 'b.yaml'],
    ['none, if the variable is empty', undefined, { CALLPASS_SETTINGS: '' }, true, undefined],
    ['that of the machine', undefined, {}, true, '/etc/callpass/settings.yaml'],
    ['none, if the machine has none', undefined, {}, false, undefined],
  ])('takes %s', (_, given, environment, present, chosen) => {
    expect(chooseSettingsFile(given, environment, () => present)).toBe(chosen);
  });
});

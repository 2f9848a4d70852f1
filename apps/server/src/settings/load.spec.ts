import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { parse } from 'yaml';
import { STORE_URL_FORMS } from '@callpass/storage';
import { chooseSettingsFile } from './load.ts';

it('settings.sample.yaml has settings, and names the URL of each kind of store', () => {
  const text = readFileSync(join(import.meta.dirname, '..', '..', 'settings.sample.yaml'), 'utf8');
  const schemes = STORE_URL_FORMS.split(' or ').map((form) => form.slice(0, form.indexOf(':') + 1));
  for (const scheme of schemes) expect(text).toMatch(new RegExp(`# .*\\b${scheme}`));
  expect(parse(text)).toBeTruthy();
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

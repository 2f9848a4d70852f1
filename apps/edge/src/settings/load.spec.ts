import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { leafPaths, variableOf } from '@callpass/program/settings';
import { loadEdgeSettings, SETTINGS_PREFIX } from './load.ts';
import { settingsSchema } from './schema.ts';

const SAMPLE = join(import.meta.dirname, '..', '..', 'settings.sample.yaml');
const text = readFileSync(SAMPLE, 'utf8');

describe('settings.sample.yaml', () => {
  it('shows every setting with its default and its variable', () => {
    expect(loadEdgeSettings({ file: SAMPLE, environment: {} })).toEqual(
      loadEdgeSettings({ environment: {} }),
    );
    for (const path of leafPaths(settingsSchema)) {
      expect(text).toContain(`${path[path.length - 1]}:`);
      expect(text).toContain(`# ${variableOf(SETTINGS_PREFIX, path)}\n`);
    }
  });

  it('names no variable that does not exist', () => {
    const named = [...text.matchAll(/CALLPASS_[A-Z_]+/g)].map(([name]) => name);
    expect(named.sort()).toEqual(
      leafPaths(settingsSchema)
        .map((path) => variableOf(SETTINGS_PREFIX, path))
        .sort(),
    );
  });
});

it('lists and pairs may come from the environment', () => {
  const settings = loadEdgeSettings({
    environment: {
      CALLPASS_EDGE_ORIGINS: 'https://a.example, https://b.example',
      CALLPASS_EDGE_COMPATIBILITY_ROUTES_IDENTIFIERS: 'front desk=support, sales=sales',
    },
  });
  expect(settings.origins).toEqual(['https://a.example', 'https://b.example']);
  expect(settings.compatibilityRoutes.identifiers).toEqual({ 'front desk': 'support', sales: 'sales' });
});

it('a secret that is too short is refused without being shown', () => {
  const load = () => loadEdgeSettings({ environment: { CALLPASS_EDGE_VISITOR_SECRETS: 'canary' } });
  expect(load).toThrow(/CALLPASS_EDGE_VISITOR_SECRETS.*32 characters/);
  expect(load).not.toThrow(/canary/);
});

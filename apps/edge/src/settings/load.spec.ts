import { expect, it } from '@jest/globals';
import { loadEdgeSettings } from './load.ts';

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

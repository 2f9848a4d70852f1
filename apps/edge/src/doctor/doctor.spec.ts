import { expect, it } from '@jest/globals';
import { examine } from './doctor.ts';

const SETTINGS = {
  CALLPASS_EDGE_SERVICE_ADDRESS: '127.0.0.1:1',
  CALLPASS_EDGE_SERVICE_TOKEN: 'canary-token',
  CALLPASS_EDGE_SERVICE_TIMEOUT: '500ms',
};

it('says that the service does not answer, where it is and what to do, and tells no secret', async () => {
  const findings = await examine({ file: undefined, environment: SETTINGS });
  expect(findings).toEqual([
    expect.objectContaining({ check: 'settings', state: 'ok' }),
    expect.objectContaining({
      check: 'service',
      state: 'problem',
      finding: expect.stringContaining('127.0.0.1:1'),
      advice: expect.stringContaining('see that the service runs'),
    }),
  ]);
  expect(JSON.stringify(findings)).not.toContain('canary');
});

it('names settings that the edge would not start with, and does not go on', async () => {
  const environment = { ...SETTINGS, CALLPASS_EDGE_LISTEN_CERT_FILE: '/nowhere/tls.crt' };
  const [settings, service] = await examine({ file: undefined, environment });
  expect(settings).toMatchObject({ state: 'problem', finding: expect.stringContaining('listen.') });
  expect(service).toMatchObject({ check: 'service', state: 'skipped' });
});

it('says that the store of used tokens does not answer, where proxies ask', async () => {
  const environment = {
    ...SETTINGS,
    CALLPASS_EDGE_VISITOR_SECRETS: 's'.repeat(32),
    CALLPASS_EDGE_AUTHORIZE_REALMS: 'support.example',
    CALLPASS_EDGE_AUTHORIZE_PROXIES: 'loopback',
    CALLPASS_EDGE_AUTHORIZE_SINGLE_USE_URL: 'redis://127.0.0.1:1',
    CALLPASS_EDGE_AUTHORIZE_SINGLE_USE_WHEN_UNAVAILABLE: 'allow',
  };
  expect((await examine({ file: undefined, environment })).at(-1)).toMatchObject({
    check: 'used tokens',
    state: 'problem',
    finding: expect.stringContaining('copied tokens are let through'),
  });
});

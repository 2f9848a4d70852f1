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

import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it } from '@jest/globals';
import { SettingsError } from '@callpass/program/settings';
import { loadEdgeSettings } from './load.ts';

it('refuses variables with the old prefix, and names the new one of each', () => {
  const load = () =>
    loadEdgeSettings({
      environment: {
        CALLPASS_GATEWAY_LISTEN_ADDRESS: '127.0.0.1:8080',
        CALLPASS_GATEWAY_VISITOR_SECRETS: 'canary',
        CALLPASS_GATEWAY_DOORS_DEFAULT_DESTINATION: 'support',
        CALLPASS_EDGE_LOG_LEVEL: 'info',
      },
    });
  expect(load).toThrow(
    new SettingsError([
      'CALLPASS_GATEWAY_LISTEN_ADDRESS is now CALLPASS_EDGE_LISTEN_ADDRESS: rename the variable',
      'CALLPASS_GATEWAY_VISITOR_SECRETS is now CALLPASS_EDGE_VISITOR_SECRETS: rename the variable',
      'CALLPASS_GATEWAY_DOORS_DEFAULT_DESTINATION is now CALLPASS_EDGE_COMPATIBILITY_ROUTES_DEFAULT_DESTINATION: rename the variable',
    ]),
  );
});

it('refuses a key of the file that has another name now, and says which', () => {
  const folder = mkdtempSync(join(tmpdir(), 'callpass-edge-'));
  const file = join(folder, 'edge.yaml');
  writeFileSync(file, 'doors: { defaultDestination: support }\n');
  expect(() => loadEdgeSettings({ file, environment: {} })).toThrow(
    /^doors is now compatibilityRoutes: rename the key .*line 1/,
  );
  rmSync(folder, { recursive: true });
});

it('leaves alone what Kubernetes sets for a service that is called callpass-gateway', () => {
  const environment = {
    CALLPASS_GATEWAY_SERVICE_HOST: '10.0.0.1',
    CALLPASS_GATEWAY_PORT: 'tcp://10.0.0.1:80',
  };
  expect(() => loadEdgeSettings({ environment })).not.toThrow();
});

it('refuses to run under the old name, and says the new one', () => {
  const program = join(import.meta.dirname, '../../bin/callpass-gateway.js');
  const { status, stderr } = spawnSync(process.execPath, [program, 'serve'], { encoding: 'utf8' });
  expect({ status, stderr }).toEqual({
    status: 2,
    stderr: expect.stringMatching(
      /^callpass-gateway is now callpass-edge: run callpass-edge .*CALLPASS_EDGE_\n$/,
    ),
  });
});

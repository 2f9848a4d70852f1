import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { run, type Sandbox } from '../processes.ts';

/** A call as the emulated gateway sees it. */
export interface GatewayCall {
  readonly id: string;
  readonly state: string;
  readonly callee: string;
}

/** Access of tests to a running sandbox: its control routes and the real command line. */
export function controlOf(sandbox: Sandbox) {
  const { edge, gateway, grpc, page } = sandbox.ready;
  if (!edge || !gateway || !page) throw new Error('the sandbox serves no page');
  const control = `${url(gateway)}/sandbox`;
  const ask = async (method: string, path: string, body?: object): Promise<unknown> => {
    const response = await fetch(`${control}${path}`, {
      method,
      ...(body ? { headers: { 'content-type': 'application/json' }, body: JSON.stringify(body) } : {}),
    });
    if (!response.ok) throw new Error(`${method} ${path}: ${response.status}`);
    return response.status === 204 ? undefined : response.json();
  };
  const callpass = async (...args: string[]) => {
    const outcome = await run('callpass', [...args, '--address', grpc]);
    if (outcome.code !== 0) throw new Error(`callpass ${args[0]}: ${outcome.stderr}`);
    return outcome.stdout;
  };
  return {
    page: url(page),
    edge: url(edge),
    gateway: url(gateway),
    calls: async () => ((await ask('GET', '/calls')) as { calls: GatewayCall[] }).calls,
    hangUp: (id: string) => ask('POST', `/calls/${id}/hangup`),
    setPortal: (portal: object) => ask('PUT', '/portal', portal),
    stop: (name: 'server' | 'edge') => ask('POST', `/processes/${name}/stop`),
    start: (name: 'server' | 'edge') => ask('POST', `/processes/${name}/start`),
    callpass,
    /** Applies the configuration in force as `change` has left it. */
    async configure(change: (configuration: Configuration) => void) {
      const { configuration } = JSON.parse(await callpass('config', 'get', '--output', 'json')) as {
        configuration: Configuration;
      };
      change(configuration);
      const folder = mkdtempSync(join(tmpdir(), 'callpass-e2e-'));
      const file = join(folder, 'configuration.json');
      writeFileSync(file, JSON.stringify(configuration));
      try {
        await callpass('config', 'apply', '-f', file);
      } finally {
        rmSync(folder, { recursive: true, force: true });
      }
    },
  };
}

/** The part of a configuration that tests change. */
export interface Configuration {
  destinations: (Record<string, unknown> & { id: string })[];
  clients: { name: string; grants: { role: string; destinations?: string[] }[] }[];
}

function url(address: string): string {
  return address.includes('://') ? address : `http://${address}`;
}

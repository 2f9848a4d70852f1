import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { scriptOf } from '@callpass/testkit/programs';
import { run, startServerProcess, type Outcome, type ServerProcess } from './processes.ts';

/** A server with TLS, set up as `callpass dev-certs` says. */
export interface DevCertsServer extends ServerProcess {
  /** The folder of the certificates and of what a test puts there. */
  readonly folder: string;
  /** Output of `dev-certs`. */
  readonly advice: string;
  /** The environment of the command line as one of the clients. */
  as(client: 'operator' | 'edge' | 'service'): NodeJS.ProcessEnv;
  /** Runs the command line against it; as nobody when no environment of a client is given. */
  callpass(args: readonly string[], env?: NodeJS.ProcessEnv, input?: string): Promise<Outcome>;
}

/** Makes certificates with the command line, and starts a server on the settings that it prints. */
export async function startWithDevCerts(env: NodeJS.ProcessEnv = {}): Promise<DevCertsServer> {
  const folder = mkdtempSync(join(tmpdir(), 'callpass-e2e-tls-'));
  const made = await run('node', [scriptOf('cli'), 'dev-certs', '--out', folder]);
  if (made.code !== 0) throw new Error(made.stderr);
  const settings = join(folder, 'settings.yaml');
  writeFileSync(settings, made.stdout.slice(0, made.stdout.indexOf('# clients of')));
  const server = await startServerProcess({ CALLPASS_ACCESS_LOCAL: 'none', ...env }, [
    '--settings',
    settings,
  ]);
  const target = { CALLPASS_ADDRESS: server.address, CALLPASS_CA: join(folder, 'ca.crt') };
  return {
    ...server,
    folder,
    advice: made.stdout,
    as: (client) => ({
      ...target,
      CALLPASS_CERT: join(folder, `${client}.crt`),
      CALLPASS_KEY: join(folder, `${client}.key`),
    }),
    callpass: (args, as = target, input) =>
      run('node', [scriptOf('cli'), ...args], { env: as, ...(input === undefined ? {} : { input }) }),
    async stop() {
      await server.stop();
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

/** Files of one of the clients, for the client package. */
export function tlsFiles(folder: string, client: string) {
  return {
    caFile: join(folder, 'ca.crt'),
    certFile: join(folder, `${client}.crt`),
    keyFile: join(folder, `${client}.key`),
  };
}

/** A file of the folder. */
export function fileIn(folder: string, name: string): string {
  return readFileSync(join(folder, name), 'utf8');
}

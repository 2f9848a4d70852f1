import { spawn } from 'node:child_process';
import { mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { freePort } from '@callpass/testkit/free-port';
import { ended, ENVIRONMENT, outputOf, ROOT, run } from './processes.ts';

/** A registry of npm on the loopback that has the packages of this repository and nothing else. */
export interface Registry {
  /** The lines of an `.npmrc` by which packages of ours come from it, and all others from where the machine has them. */
  readonly npmrc: string;
  stop(): Promise<void>;
}

/** Starts a registry and publishes the staged packages to it. */
export async function startRegistry(): Promise<Registry> {
  const folder = mkdtempSync(join(tmpdir(), 'callpass-registry-'));
  const port = await freePort();
  const config = {
    storage: join(folder, 'storage'),
    web: { enable: false },
    packages: { '@callpass/*': { access: '$all', publish: '$all' } },
    max_body_size: '50mb',
    log: { type: 'stdout', format: 'pretty', level: 'http' },
  };
  // JSON is YAML.
  writeFileSync(join(folder, 'config.yaml'), JSON.stringify(config));
  const args = ['--config', join(folder, 'config.yaml'), '--listen', `127.0.0.1:${port}`];
  const child = spawn('node', [join(ROOT, 'node_modules/verdaccio/bin/verdaccio'), ...args], {
    env: ENVIRONMENT,
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const output = outputOf(child, 'registry');
  const address = `http://127.0.0.1:${port}`;
  await new Promise<void>((resolve, reject) => {
    child.stdout.on('data', () => {
      if (output().includes(address)) resolve();
    });
    child.once('exit', () => reject(new Error(`the registry ended: ${output()}`)));
  });
  // npm wants a token, the registry takes any.
  const npmrc = `@callpass:registry=${address}/\n//127.0.0.1:${port}/:_authToken=nobody\n`;
  writeFileSync(join(folder, '.npmrc'), npmrc);
  for (const name of readdirSync(join(ROOT, 'artifacts/packages'))) {
    const { code, stderr } = await run('npm', [
      ...['publish', `./artifacts/packages/${name}`, '--access', 'public', '--ignore-scripts'],
      ...['--userconfig', join(folder, '.npmrc')],
    ]);
    if (code !== 0) throw new Error(stderr);
  }
  return {
    npmrc,
    async stop() {
      child.kill('SIGTERM');
      await ended(child);
      rmSync(folder, { recursive: true });
    },
  };
}

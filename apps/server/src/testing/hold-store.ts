import { spawn } from 'node:child_process';
import { once } from 'node:events';
import type { TestServer } from './test-server.ts';

/** A process of its own: locks of SQLite are those of a process. */
const HOLDER = `
  const { DatabaseSync } = require('node:sqlite');
  new DatabaseSync(process.argv[1]).exec('PRAGMA busy_timeout = 10000; BEGIN IMMEDIATE');
  process.stdout.write('held');
  setInterval(() => undefined, 60_000);
`;

/** Keeps a server from writing to its store until the function given back is called. */
export async function holdStore({ environment }: TestServer): Promise<() => Promise<unknown>> {
  const file = String(environment['CALLPASS_STORE_URL']).replace(/^sqlite:/, '');
  const holder = spawn(process.execPath, ['--no-warnings', '-e', HOLDER, file], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const exited = once(holder, 'exit');
  await once(holder.stdout, 'data');
  return () => {
    holder.kill('SIGKILL');
    return exited;
  };
}

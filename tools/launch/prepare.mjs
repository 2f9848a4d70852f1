// Makes a fresh clone ready: installs what package-lock.json says and builds. Runs on any Node >= 20 without dependencies.
import { spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { COMPILE_CACHE } from './compile-cache.mjs';

export const ROOT = join(import.meta.dirname, '..', '..');
const BIN = join(ROOT, 'node_modules', '.bin');
const STAMP = join(ROOT, 'node_modules', '.callpass-lock-sha256');

/** Oldest Node that runs the sources, where npm has no pinned one for this platform. */
const OLDEST_MAJOR = 24;

/** The environment in which `node` is the pinned one. */
export const ENV = {
  ...process.env,
  PATH: `${BIN}${delimiter}${process.env.PATH}`,
  NODE_COMPILE_CACHE: COMPILE_CACHE,
  NX_NO_CLOUD: 'true',
  NX_DAEMON: 'false',
  NX_ISOLATE_PLUGINS: 'false',
  NX_CACHE_DIRECTORY: process.env.NX_CACHE_DIRECTORY ?? join(ROOT, '.nx', 'cache'),
};

/** Installs where node_modules does not match the lock file, then builds. */
export async function prepare() {
  const lock = createHash('sha256')
    .update(readFileSync(join(ROOT, 'package-lock.json')))
    .digest('hex');
  const installed = existsSync(STAMP) ? readFileSync(STAMP, 'utf8') : '';
  if (installed !== lock) {
    say('Installing dependencies (about a minute the first time) …');
    // What the lock file names does not change, so npm need not ask for what it has.
    await run('npm', [
      'ci',
      '--prefer-offline',
      '--ignore-scripts=false',
      '--loglevel=error',
      '--no-progress',
    ]);
    writeFileSync(STAMP, lock);
  }
  assertNode();
  await run('tsc', ['-b']);
}

/** npm has the pinned Node for Linux and Windows; elsewhere that of the machine has to do. */
function assertNode() {
  if (existsSync(join(BIN, 'node')) || Number.parseInt(process.versions.node, 10) >= OLDEST_MAJOR) return;
  say(
    `npm has no Node for ${process.platform} ${process.arch} that this repository could install, and this one is ` +
      `${process.version}: install Node ${OLDEST_MAJOR} or later, and run this again.`,
  );
  process.exit(1);
}

/** Runs a command of the workspace to its end; a failure or a signal ends this process with it. */
export async function run(command, args, options = {}) {
  const code = await exitCode(command, args, options);
  if (code !== 0) process.exit(code);
}

/** Runs a command of the workspace, hands it our signals, and gives its exit code. */
export function exitCode(command, args, { env = ENV, stdio = ['ignore', 2, 2] } = {}) {
  return new Promise((resolve) => {
    const child = spawn(command, args, { cwd: ROOT, env, stdio });
    const forward = (signal) => child.kill(signal);
    for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.on(signal, forward);
    child.on('error', (error) => {
      say(`${command}: ${error.message}`);
      resolve(1);
    });
    child.on('exit', (code, signal) => {
      for (const name of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.off(name, forward);
      resolve(code ?? (signal ? 1 : 0));
    });
  });
}

/** A line for the person who waits. */
export function say(text) {
  process.stderr.write(`${process.stderr.isTTY ? `\u001b[36m${text}\u001b[0m` : text}\n`);
}

// Makes a fresh clone ready: installs what package-lock.json says and builds. Runs on any Node >= 20 without dependencies.
import { spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { COMPILE_CACHE } from './compile-cache.mjs';

export const ROOT = join(import.meta.dirname, '..', '..');
const BIN = join(ROOT, 'node_modules', '.bin');
const STAMP = join(ROOT, 'node_modules', '.callpass-lock-sha256');

/** Oldest Node that runs the sources, where none is pinned for the platform. */
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
  const { optionalDependencies } = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8'));
  const isPinnedHere = `node-${process.platform}-${process.arch}` in optionalDependencies;
  const lacksNode = () => isPinnedHere && !existsSync(join(BIN, 'node'));
  const lock = createHash('sha256')
    .update(readFileSync(join(ROOT, 'package-lock.json')))
    .digest('hex');
  const installed = existsSync(STAMP) ? readFileSync(STAMP, 'utf8') : '';
  if (installed !== lock || lacksNode()) {
    say('Installing dependencies (about a minute the first time) …');
    // What the lock file names does not change, so npm need not ask for what it has.
    await run('npm', [
      'ci',
      '--prefer-offline',
      '--ignore-scripts=false',
      '--loglevel=error',
      '--no-progress',
    ]);
    // npm takes no failure of an optional package for one, also not bytes that are not those of the lock file.
    if (lacksNode()) {
      say('The pinned Node could not be installed: see that npm reaches its registry, and run this again.');
      process.exit(1);
    }
    writeFileSync(STAMP, lock);
  }
  if (!isPinnedHere) assertNode();
  await run('tsc', ['-b']);
}

/** Ends this process where no Node is pinned for the platform and that of the machine is too old. */
function assertNode() {
  if (Number.parseInt(process.versions.node, 10) >= OLDEST_MAJOR) return;
  say(
    `This repository installs no Node of its own on ${process.platform} ${process.arch}, and this one is ${process.version}: ` +
      `install Node ${OLDEST_MAJOR} or later, and run this again.`,
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

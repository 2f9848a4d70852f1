// Makes the picture of `callpass top` in README: runs the sandbox, asks it for credentials as fast as it answers, and draws what
// the command shows of that.
//   tsc -b && node tools/picture/top.mjs
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { setTimeout as pause } from 'node:timers/promises';
import { ENV, ROOT } from '../launch/prepare.mjs';
import { draw, ESCAPE } from './draw.mjs';

const PICTURE = join(ROOT, 'docs', 'images', 'top.svg');
const COLUMNS = 100;
const ROWS = 60;
const HOME = `${ESCAPE}[H`;
const ERASE = new RegExp(`${ESCAPE}\\[[JK]`, 'g');
/** Credentials of a minute for each destination: some nearly used up. */
const MOST_OF = { support: 4000, 'support-cbc': 20_000, lobby: 200 };
/** Workers of each kind of call, and the pause of each between two. */
const LOAD = [
  { workers: 6, pauseMs: 10, request: () => ({ destination: 'support', subject: visitor(100_000) }) },
  { workers: 3, pauseMs: 15, request: () => ({ destination: 'support-cbc', subject: visitor(100_000) }) },
  { workers: 1, pauseMs: 40, request: () => ({ destination: 'lobby', subject: visitor(100_000) }) },
  { workers: 1, pauseMs: 50, request: () => ({ destination: 'support', subject: 'again and again' }) },
  { workers: 1, pauseMs: 90, request: () => ({ destination: 'support-cbc', subject: 'a frozen visitor' }) },
];

const { create } = await import('@bufbuild/protobuf');
const { LimitSchema, LimitScope } = await import('@callpass/contract');
const { createAdminClient, createCredentialClient } = await import('@callpass/client');
const { runProgram } = await import(join(ROOT, 'apps/cli/dist/program.js'));

const folder = mkdtempSync(join(tmpdir(), 'callpass-picture-'));
const readyFile = join(folder, 'ready.json');
const sandbox = spawn('npm', ['start', '--silent', '--', '--ready-file', readyFile, '--ports', 'auto'], {
  cwd: ROOT,
  env: ENV,
  stdio: ['ignore', 'ignore', 'inherit'],
});
let going = true;
try {
  while (!existsSync(readyFile)) {
    if (sandbox.exitCode !== null) throw new Error('npm start ended');
    await pause(200);
  }
  const { grpc, metrics } = JSON.parse(readFileSync(readyFile, 'utf8'));
  await prepare(grpc);
  const workers = LOAD.flatMap((load) => Array.from({ length: load.workers }, () => work(grpc, load)));
  await pause(3000);
  const options = ['--interval', '5s', '--address', grpc, '--metrics', metrics];
  const shown = await callpassTop(options);
  going = false;
  await Promise.all(workers);
  const command = `${ESCAPE}[1m$ npx callpass top ${options.join(' ')}${ESCAPE}[22m`;
  const lines = [command, '', ...shown.trimEnd().split('\n')];
  writeFileSync(
    PICTURE,
    draw(lines, 'callpass top: instances, rates, reasons, latency, limits and keys of a service under load'),
  );
  console.log(PICTURE);
} finally {
  going = false;
  sandbox.kill('SIGTERM');
  if (sandbox.exitCode === null) await once(sandbox, 'exit');
  rmSync(folder, { recursive: true, force: true });
}

function visitor(of) {
  return `visitor ${Math.floor(Math.random() * of)}`;
}

/** Gives the sandbox limits, a frozen visitor and a retired key, so that there is something to see. */
async function prepare(address) {
  const admin = createAdminClient({ address });
  const { configuration, revision } = await admin.getConfiguration({});
  const window = { seconds: 60n };
  for (const destination of configuration.destinations)
    destination.limits = [
      { per: LimitScope.SUBJECT, max: 20, window },
      { per: LimitScope.DESTINATION, max: MOST_OF[destination.id], window },
    ].map((limit) => create(LimitSchema, limit));
  await admin.applyConfiguration({ configuration, expectedRevision: revision.revision });
  await admin.freeze({
    scope: { scope: { case: 'subject', value: 'a frozen visitor' } },
    reason: 'the picture has one',
  });
  const realm = 'support.example';
  const { realmKey } = await admin.addRealmKey({ realm });
  await admin.activateRealmKey({ realm, version: realmKey.version });
  admin.close();
}

async function work(address, { pauseMs, request }) {
  const client = createCredentialClient({ address });
  while (going) {
    await client.issueCredentials(request()).catch(() => undefined);
    await pause(pauseMs);
  }
  client.close();
}

/** Runs the command on a terminal until its second picture, and gives that. */
async function callpassTop(options) {
  const interrupted = new globalThis.AbortController();
  const pictures = [];
  const sink = {
    isTTY: true,
    columns: COLUMNS,
    rows: ROWS,
    write(text) {
      if (!text.startsWith(HOME)) return;
      pictures.push(text.slice(HOME.length).replaceAll(ERASE, ''));
      if (pictures.length === 2) interrupted.abort();
    },
  };
  const exitCode = await runProgram(['top', ...options], {
    stdin: Readable.from([]),
    stdout: sink,
    stderr: { isTTY: false, write: (text) => process.stderr.write(text) },
    noColor: false,
    untilInterrupted: () => interrupted.signal,
  });
  if (exitCode !== 0) throw new Error(`callpass top: ${exitCode}`);
  return pictures[1];
}

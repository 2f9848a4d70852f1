// Makes the picture of `callpass top` in README: runs the sandbox, asks it for credentials as fast as it answers, and draws what
// the command shows of that.
//   tsc -b && node tools/picture/top.mjs
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { ROOT } from '../launch/prepare.mjs';
import { draw, ESCAPE } from './draw.mjs';
import { withSandbox } from './with-sandbox.mjs';

const PICTURE = join(ROOT, 'docs', 'images', 'top.svg');
const SCREEN = { columns: 100, rows: 60 };
const HOME = `${ESCAPE}[H`;
const ERASE_LINE = `${ESCAPE}[K`;
const ERASE_BELOW = `${ESCAPE}[J`;
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
const { runInProcess } = await import(join(ROOT, 'apps/cli/dist/testing/run-in-process.js'));

let going = true;
await withSandbox(async ({ grpc, metrics }) => {
  await prepare(grpc);
  const workers = LOAD.flatMap((load) => Array.from({ length: load.workers }, () => work(grpc, load)));
  await pause(3000);
  const options = ['--interval', '5s', '--address', grpc, '--metrics', metrics];
  const shown = await callpassTop(options).finally(() => (going = false));
  await Promise.all(workers);
  const command = `${ESCAPE}[1m$ npx callpass top ${options.join(' ')}${ESCAPE}[22m`;
  const lines = [command, '', ...shown.trimEnd().split('\n')];
  writeFileSync(
    PICTURE,
    draw(lines, 'callpass top: instances, rates, reasons, latency, limits and keys of a service under load'),
  );
});
console.log(PICTURE);

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
  const { exitCode, stdout, stderr } = await runInProcess(['top', ...options], {
    isTTY: true,
    ...SCREEN,
    interrupted: interrupted.signal,
    onStdout(stdout) {
      if (stdout.split(HOME).length === 3) interrupted.abort();
    },
  });
  if (exitCode !== 0) throw new Error(`callpass top: ${stderr}`);
  const [, , second] = stdout.split(HOME);
  return second.split(ERASE_BELOW)[0].replaceAll(ERASE_LINE, '');
}

// Makes the picture in README: runs the sandbox and a few commands for real and draws what they print.
//   node tools/picture/terminal.mjs
import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { ENV, ROOT } from '../launch/prepare.mjs';
import { draw, ESCAPE } from './draw.mjs';

const PICTURE = join(ROOT, 'docs', 'images', 'sandbox.svg');
const colourful = { ...ENV, FORCE_COLOR: '1' };

const folder = mkdtempSync(join(tmpdir(), 'callpass-picture-'));
const readyFile = join(folder, 'ready.json');
const sandbox = spawn('npm', ['start', '--silent', '--', '--ready-file', readyFile, '--ports', 'auto'], {
  cwd: ROOT,
  env: colourful,
  stdio: ['ignore', 'pipe', 'inherit'],
});
let printed = '';
sandbox.stdout.on('data', (chunk) => (printed += chunk));
while (!existsSync(readyFile) || !printed.includes('Ctrl-C')) await pause(100);
const { grpc, realms } = JSON.parse(readFileSync(readyFile, 'utf8'));

const shown = [['$ npm start', printed.split('\n').slice(1, 15).join('\n')]];
const callpass = (...args) => {
  const { stdout, stderr } = spawnSync('callpass', args, {
    cwd: ROOT,
    env: { ...colourful, CALLPASS_ADDRESS: grpc },
    encoding: 'utf8',
  });
  return stdout + stderr;
};
const seconds = spawnSync(
  'openssl',
  ['enc', '-aes-128-ecb', '-K', Buffer.from(realms[0].key).toString('hex')],
  {
    input: `sip:support@kandy.example;${Math.floor(Date.now() / 1000)}`,
  },
);
const token = seconds.stdout.toString('hex').toUpperCase();
shown.push([
  `$ npx callpass explain ${token.slice(0, 12)}… --realm ${realms[0].name}`,
  callpass('explain', token, '--realm', realms[0].name),
]);

sandbox.kill('SIGTERM');
await once(sandbox, 'exit');
rmSync(folder, { recursive: true, force: true });
const lines = shown.flatMap(([command, output]) => [
  `${ESCAPE}[1m${command}${ESCAPE}[22m`,
  ...output.trimEnd().split('\n'),
  '',
]);
writeFileSync(PICTURE, draw(lines, 'The sandbox running in a terminal'));
console.log(PICTURE);

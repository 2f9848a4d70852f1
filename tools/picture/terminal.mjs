// Makes the picture in README: runs the sandbox and a few commands for real and draws what they print.
//   node tools/picture/terminal.mjs
import { spawnSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { ENV, ROOT } from '../launch/prepare.mjs';
import { draw, ESCAPE } from './draw.mjs';
import { withSandbox } from './with-sandbox.mjs';

const PICTURE = join(ROOT, 'docs', 'images', 'sandbox.svg');
const COLOURFUL = { FORCE_COLOR: '1' };

await withSandbox(({ grpc, realms: [realm] }, printed) => {
  const callpass = (...args) => {
    const { stdout, stderr } = spawnSync('callpass', args, {
      cwd: ROOT,
      env: { ...ENV, ...COLOURFUL, CALLPASS_ADDRESS: grpc },
      encoding: 'utf8',
    });
    return stdout + stderr;
  };
  const { stdout: encrypted } = spawnSync(
    'openssl',
    ['enc', '-aes-128-ecb', '-K', Buffer.from(realm.key).toString('hex')],
    { input: `sip:support@kandy.example;${Math.floor(Date.now() / 1000)}` },
  );
  const token = encrypted.toString('hex').toUpperCase();
  const shown = [
    ['$ npm start', printed.split('\n').slice(1, 15).join('\n')],
    [
      `$ npx callpass explain ${token.slice(0, 12)}… --realm ${realm.name}`,
      callpass('explain', token, '--realm', realm.name),
    ],
  ];
  const lines = shown.flatMap(([command, output]) => [
    `${ESCAPE}[1m${command}${ESCAPE}[22m`,
    ...output.trimEnd().split('\n'),
    '',
  ]);
  writeFileSync(PICTURE, draw(lines, 'The sandbox running in a terminal'));
}, COLOURFUL);
console.log(PICTURE);

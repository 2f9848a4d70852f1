// Makes the picture in README: runs the sandbox and a few commands for real and draws what they print.
//   node tools/picture/terminal.mjs
import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { ENV, ROOT } from '../launch/prepare.mjs';

const PICTURE = join(ROOT, 'docs', 'images', 'sandbox.svg');
const LINE_HEIGHT = 18;
const CHARACTER_WIDTH = 7.85;
const COLOURS = { 31: '#e5534b', 32: '#57ab5a', 33: '#c69026', 36: '#39c5cf' };
/** Starts an ANSI style: `ESC [ code m`. */
const ESCAPE = String.fromCharCode(27);
const STYLE = new RegExp(`(${ESCAPE}\\[\\d+m)`, 'g');
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

const shown = [['$ npm start', printed.split('\n').slice(1, 14).join('\n')]];
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
writeFileSync(PICTURE, draw(lines));
console.log(PICTURE);

function draw(lines) {
  const columns = Math.max(...lines.map((line) => line.replace(STYLE, '').length));
  const width = Math.ceil(columns * CHARACTER_WIDTH) + 40;
  const height = lines.length * LINE_HEIGHT + 40;
  const rows = lines.map(
    (line, row) => `<text x="20" y="${34 + row * LINE_HEIGHT}" xml:space="preserve">${spans(line)}</text>`,
  );
  return `<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${height}" viewBox="0 0 ${width} ${height}" role="img" aria-label="The sandbox running in a terminal">
<rect width="100%" height="100%" rx="8" fill="#1c2128"/>
<g font-family="ui-monospace, SFMono-Regular, Menlo, Consolas, 'DejaVu Sans Mono', monospace" font-size="13" fill="#cdd9e5">
${rows.join('\n')}
</g>
</svg>
`;
}

/** One line with its ANSI styles as tspans. */
function spans(line) {
  let style = {};
  return line
    .split(STYLE)
    .map((part) => {
      const code = part.startsWith(`${ESCAPE}[`) ? part.slice(2, -1) : undefined;
      if (code === undefined) return part === '' ? '' : tspan(part, style);
      if (code === '1') style = { ...style, bold: true };
      else if (code === '2') style = { ...style, dim: true };
      else if (code === '22') style = { ...style, bold: false, dim: false };
      else style = { ...style, colour: COLOURS[code] };
      return '';
    })
    .join('');
}

function tspan(text, { bold, dim, colour }) {
  const escaped = text.replace(
    /[&<>]/g,
    (character) => ({ '&': '&amp;', '<': '&lt;', '>': '&gt;' })[character],
  );
  const attributes = [
    bold && 'font-weight="bold"',
    dim && 'fill="#768390"',
    colour && `fill="${colour}"`,
  ].filter(Boolean);
  return `<tspan ${attributes.join(' ')}>${escaped}</tspan>`;
}

// `npm run pack -- --out FOLDER`: tarballs of all published packages, each complete in itself, and protos.tar.gz.
import { mkdirSync } from 'node:fs';
import { resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { prepare, run, say } from '../launch/prepare.mjs';

const { values } = parseArgs({ options: { out: { type: 'string', default: 'artifacts/tarballs' } } });
const out = resolve(process.env.INIT_CWD ?? process.cwd(), values.out);
mkdirSync(out, { recursive: true });
await prepare();
await run('node', ['tools/packages/stage-all.mjs']);
const { PUBLISHED } = await import('./published.mjs');
const folders = PUBLISHED.map(({ folder }) => `./artifacts/packages/${folder.split('/').at(-1)}`);
await run('npm', ['pack', '--silent', '--ignore-scripts', '--pack-destination', out, ...folders]);
await run('node', ['tools/protos/archive.mjs', out]);
say(`Written to ${out}`);

// `node deploy/docker/assemble.mjs APP FOLDER`: copies the files that an app needs at run time into a folder: its own built
// files, those of the workspace packages it imports, and their packages of the lock file. Needs `npm ci` and a build. The commit
// goes into its package.json, where `--version` finds it.
import { cpSync, existsSync, mkdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { dirname, join, relative, resolve } from 'node:path';
import { buildFacts } from '../../tools/packages/build-facts.mjs';

const ROOT = resolve(import.meta.dirname, '..', '..');
const SCOPE = '@callpass/';

const [app, folder] = process.argv.slice(2);
if (app === undefined || folder === undefined) throw new Error('use: assemble.mjs APP FOLDER');
const { packages } = JSON.parse(readFileSync(join(ROOT, 'package-lock.json'), 'utf8'));

/** Places in the lock file that are copied. */
const taken = new Set();
take(`apps/${app}`);
for (const place of taken) copy(place);
noteCommit(join(folder, 'apps', app, 'package.json'));
cpSync(join(ROOT, 'LICENSE'), join(folder, 'LICENSE'));

function noteCommit(file) {
  const manifest = JSON.parse(readFileSync(file, 'utf8'));
  writeFileSync(file, `${JSON.stringify({ ...manifest, ...buildFacts() }, null, 2)}\n`);
}

/** Takes a package and all that it needs in production. */
function take(place) {
  if (taken.has(place)) return;
  taken.add(place);
  const {
    dependencies = {},
    optionalDependencies = {},
    peerDependencies = {},
    peerDependenciesMeta = {},
  } = packages[place];
  for (const name of Object.keys({ ...dependencies, ...optionalDependencies, ...peerDependencies })) {
    const found = find(name, place);
    const optional = name in optionalDependencies || peerDependenciesMeta[name]?.optional === true;
    // Optional packages for other platforms are in the lock file, but not installed.
    if (found !== undefined && existsSync(join(ROOT, found))) take(found);
    else if (!optional) throw new Error(`${place} needs ${name}, which is not installed`);
  }
}

/** Finds a package like Node: in the nearest node_modules, a workspace package by npm's link. */
function find(name, from) {
  for (let place = from; ; place = dirname(place)) {
    const candidate = join(place === '.' ? '' : place, 'node_modules', name);
    const entry = packages[candidate];
    if (entry !== undefined) return entry.link ? entry.resolved : candidate;
    if (place === '.' || place === '') return undefined;
  }
}

function copy(place) {
  const to = join(folder, place);
  const { name } = JSON.parse(readFileSync(join(ROOT, place, 'package.json'), 'utf8'));
  const ours = name.startsWith(SCOPE);
  cpSync(join(ROOT, place), to, {
    recursive: true,
    filter: (source) => {
      const path = relative(join(ROOT, place), source);
      return ours ? isShipped(path) : runs(path);
    },
  });
  if (!ours) return;
  const link = join(folder, 'node_modules', name);
  mkdirSync(dirname(link), { recursive: true });
  symlinkSync(relative(dirname(link), to), link);
}

/** Of others: what runs on this platform, without sources of native code and builds for other platforms. */
function runs(path) {
  const [top, platform] = path.split('/');
  if (path.split('/').includes('node_modules') || /\.(map|md|[cm]?ts|gypi?|[ch]|cpp|hpp)$/.test(path))
    return false;
  return (
    top !== 'prebuilds' ||
    platform === undefined ||
    platform.startsWith(`${process.platform}-${process.arch}`)
  );
}

/** Of our own: what runs, without sources, types and tests. */
function isShipped(path) {
  const [top] = path.split('/');
  if (!['', 'package.json', 'openapi.json', 'bin', 'dist', 'public'].includes(top)) return false;
  return !/(\.spec\.|\.map$|\.d\.ts$|\.tsbuildinfo$|\/testing$)/.test(path);
}

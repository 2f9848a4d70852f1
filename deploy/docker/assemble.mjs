// `node deploy/docker/assemble.mjs APP FOLDER`: writes the files that an app needs at run time into a folder: its program, in which
// the workspace packages are bundled, and what it needs of the packages of others in the lock file. Needs `npm ci` and a build.
// The commit is in the program's package.json, where `--version` finds it.
import { cpSync, existsSync, readFileSync } from 'node:fs';
import { dirname, join, relative, resolve } from 'node:path';
import { run } from '../../tools/launch/prepare.mjs';

const ROOT = resolve(import.meta.dirname, '..', '..');

const [app, folder] = process.argv.slice(2);
if (app === undefined || folder === undefined) throw new Error('use: assemble.mjs APP FOLDER');
const { packages } = JSON.parse(readFileSync(join(ROOT, 'package-lock.json'), 'utf8'));

const PLACE = `apps/${app}`;
await run('node', ['tools/packages/stage-programs.mjs', resolve(folder, 'apps'), app]);
/** Places in the lock file that are copied. */
const taken = new Set();
const { dependencies } = JSON.parse(readFileSync(join(folder, PLACE, 'package.json'), 'utf8'));
for (const [name, version] of Object.entries(dependencies)) takeFor(PLACE, name, version);
for (const place of taken) copy(place);

/** Takes a package of this version that the program imports, as Node finds it from there. */
function takeFor(place, name, version) {
  const found = find(name, place);
  if (packages[found]?.version !== version)
    throw new Error(`${place} needs ${name} ${version}, and package-lock.json has another there`);
  take(found);
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

/** Finds a package like Node: in the nearest node_modules. */
function find(name, from) {
  for (let place = from; ; place = dirname(place)) {
    const candidate = join(place === '.' ? '' : place, 'node_modules', name);
    if (candidate in packages) return candidate;
    if (place === '.' || place === '') return undefined;
  }
}

function copy(place) {
  const from = join(ROOT, place);
  cpSync(from, join(folder, place), { recursive: true, filter: (source) => runs(relative(from, source)) });
}

/** Tells whether a file is of use at run time here: sources, types and native builds for other platforms are not. */
function runs(path) {
  const [top, platform] = path.split('/');
  if (/(^|\/)(licen[cs]e|notice|copying)[^/]*$/i.test(path)) return true;
  if (path.split('/').includes('node_modules') || /\.(map|md|[cm]?ts|gypi?|[ch]|cpp|hpp)$/.test(path))
    return false;
  return (
    top !== 'prebuilds' ||
    platform === undefined ||
    platform.startsWith(`${process.platform}-${process.arch}`)
  );
}

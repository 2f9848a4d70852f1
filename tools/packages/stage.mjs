// Folders of complete packages: what npm publishes, in artifacts/packages, and the programs that images hold.
import {
  cpSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { basename, join } from 'node:path';
import { ROOT } from '../launch/prepare.mjs';
import { buildFacts } from './build-facts.mjs';
import { bundle } from './bundle.mjs';
import { noticesOf } from './notices.mjs';
import { ENGINES, manifestOf, PUBLISHED } from './published.mjs';

/** Folder of the staged packages. nx.json names it as the root of what is published. */
export const STAGED = join(ROOT, 'artifacts', 'packages');

/** Stages every package from what `tsc -b` has built. Returns their folders. */
export async function stageAll() {
  rmSync(STAGED, { recursive: true, force: true });
  return Promise.all(
    PUBLISHED.map(async (row) => {
      const folder = join(STAGED, basename(row.folder));
      await stage(row, folder);
      return folder;
    }),
  );
}

/** Stages a program, the name of a folder of apps/, without the library that it may be too, and with all packages of others outside. */
export async function stageProgram(name, folder) {
  const row = PUBLISHED.find((published) => published.folder === `apps/${name}`);
  if (row?.program === undefined) throw new Error(`${name} is no program that is published`);
  await stage({ ...row, library: undefined, inside: [], ranges: {} }, folder);
}

async function stage(row, folder) {
  const from = join(ROOT, row.folder);
  mkdirSync(folder, { recursive: true });
  const { imported, inside } = await bundle(row, folder);
  for (const name of ['bin', 'settings.sample.yaml', 'README.md', ...(row.data ?? [])])
    if (existsSync(join(from, name))) cpSync(join(from, name), join(folder, name), { recursive: true });
  for (const name of ['LICENSE', 'NOTICE']) cpSync(join(ROOT, name), join(folder, name));
  const notices = noticesOf(inside);
  if (notices !== undefined) writeFileSync(join(folder, 'THIRD-PARTY-NOTICES'), notices);
  const manifest = publishedManifest(row, imported, readdirSync(folder));
  writeFileSync(join(folder, 'package.json'), `${JSON.stringify(manifest, null, 2)}\n`);
}

function publishedManifest(row, imported, files) {
  const { name, version, description, license, type, bin, keywords } = row.manifest;
  return {
    name,
    version,
    description,
    keywords,
    license,
    type,
    engines: ENGINES,
    ...(bin && { bin }),
    ...entryPoints({ ...row.library, ...row.browser }, row.data),
    files: files.filter((file) => file !== 'package.json'),
    sideEffects: row.program !== undefined,
    dependencies: dependenciesOf(row, imported),
    ...buildFacts(),
  };
}

function entryPoints(library, data = []) {
  const exports = Object.fromEntries(
    Object.keys(library).map((name) => [
      name === 'index' ? '.' : `./${name}`,
      {
        import: { types: `./dist/${name}.d.mts`, default: `./dist/${name}.mjs` },
        require: { types: `./dist/${name}.d.cts`, default: `./dist/${name}.cjs` },
      },
    ]),
  );
  return {
    ...(library.index && { main: './dist/index.cjs', types: './dist/index.d.cts' }),
    exports: {
      ...exports,
      ...Object.fromEntries(['package.json', ...data].map((name) => [`./${name}`, `./${name}`])),
    },
  };
}

/** Versions of what is imported, as the rooms that are part of the package say them. */
function dependenciesOf(row, imported) {
  const known = new Map();
  for (const { dependencies = {} } of roomsOf(row.folder))
    for (const [name, version] of Object.entries(dependencies)) known.set(name, version);
  const versions = imported.map((name) => {
    const version = row.ranges?.[name] ?? known.get(name);
    if (version === undefined)
      throw new Error(`${row.folder} imports ${name}, which no package.json of its rooms names`);
    return [name, version];
  });
  if (row.library) versions.push(['@types/node', '>=18']);
  return Object.fromEntries(versions.sort(([a], [b]) => (a < b ? -1 : 1)));
}

/** Manifests of a package and of all packages of the workspace below it. */
function roomsOf(folder) {
  const folders = new Map(
    ['packages', 'apps'].flatMap((parent) =>
      readdirSync(join(ROOT, parent))
        .filter((name) => statSync(join(ROOT, parent, name)).isDirectory())
        .map((name) => [manifestOf(`${parent}/${name}`).name, `${parent}/${name}`]),
    ),
  );
  const rooms = new Map();
  const visit = (place) => {
    if (rooms.has(place)) return;
    const manifest = manifestOf(place);
    rooms.set(place, manifest);
    for (const name of Object.keys(manifest.dependencies ?? {}))
      if (folders.has(name)) visit(folders.get(name));
  };
  visit(folder);
  return rooms.values();
}

/** The manifest of a staged package. */
export function stagedManifest(folder) {
  return JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8'));
}

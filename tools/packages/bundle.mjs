// The files of a package: its modules and those of the workspace that it imports, bundled, with their types.
import { mkdirSync, writeFileSync } from 'node:fs';
import { builtinModules } from 'node:module';
import { join } from 'node:path';
import { rolldown } from 'rolldown';
import { dts } from 'rolldown-plugin-dts';
import { ROOT } from '../launch/prepare.mjs';

const OURS = /^@callpass\//;
const DIST = 'dist';
/** A busy machine is no fault of what is bundled. */
const CHECKS = { bundlerTimings: false };

/**
 * Writes the files of one row of PUBLISHED into `folder/dist`. Returns the packages that they import, and the modules of
 * others that are part of them.
 */
export async function bundle(row, folder) {
  const imported = new Set();
  const inside = new Set();
  const note = (chunks) => {
    const files = new Set(chunks.map(({ fileName }) => fileName));
    for (const { imports = [], dynamicImports = [], moduleIds = [] } of chunks) {
      for (const name of [...imports, ...dynamicImports])
        if (!files.has(name) && !isOfNode(name)) imported.add(packageOf(name));
      for (const id of moduleIds) if (id.includes('/node_modules/')) inside.add(id);
    }
  };
  if (row.library) {
    const files = await write(row, row.library, { folder, format: 'cjs', extension: 'cjs' });
    note(files);
    writeImportWrappers(files, join(folder, DIST));
    note(await writeTypes(row, row.library, { folder, banner: '/// <reference types="node" />' }));
  }
  if (row.browser) {
    for (const [format, extension] of Object.entries({ esm: 'mjs', cjs: 'cjs' }))
      note(await write(row, row.browser, { folder, format, extension, platform: 'browser' }));
    for (const extension of ['mts', 'cts']) note(await writeTypes(row, row.browser, { folder, extension }));
  }
  if (row.program) note(await write(row, row.program, { folder, format: 'esm', extension: 'js' }));
  for (const name of row.absent) imported.delete(name);
  return { imported: [...imported].sort(), inside: [...inside].sort() };
}

async function write(row, entries, { folder, format, extension, platform = 'node' }) {
  const build = await rolldown({
    input: inputOf(row, entries, '.js'),
    external: (name) => isOutside(row, name),
    platform,
    checks: CHECKS,
    onLog: failOnWarning,
  });
  const { output } = await build.write({
    dir: join(folder, DIST),
    format,
    entryFileNames: `[name].${extension}`,
    chunkFileNames: `[name]-[hash].${extension}`,
    comments: { legal: true, annotation: false, jsdoc: false },
  });
  await build.close();
  return output;
}

/** A package has one set of classes, whether it is imported or required: `import` gets what `require` gives. */
function writeImportWrappers(files, folder) {
  mkdirSync(folder, { recursive: true });
  for (const { isEntry, name, fileName, exports } of files) {
    if (!isEntry) continue;
    const text = `import all from './${fileName}';\nexport const { ${exports.join(', ')} } = all;\n`;
    writeFileSync(join(folder, `${name}.mjs`), text);
    writeFileSync(join(folder, `${name}.d.mts`), `export * from './${name}.cjs';\n`);
  }
}

async function writeTypes(row, entries, { folder, banner, extension = 'cts' }) {
  const build = await rolldown({
    input: inputOf(row, entries, '.d.ts'),
    external: (name) => isOutside(row, name),
    platform: 'node',
    plugins: [dts({ dtsInput: true, emitDtsOnly: true, sourcemap: false })],
    checks: CHECKS,
    onLog: failOnWarning,
  });
  const { output } = await build.write({
    dir: join(folder, DIST),
    format: 'esm',
    entryFileNames: `[name].d.${extension}`,
    chunkFileNames: `[name]-[hash].d.${extension}`,
    ...(banner && { banner }),
  });
  await build.close();
  return output.map(({ fileName, imports }) => ({ fileName, imports }));
}

function inputOf(row, entries, extension) {
  return Object.fromEntries(
    Object.entries(entries).map(([name, path]) => [name, join(ROOT, row.folder, `${path}${extension}`)]),
  );
}

/** The packages of others stay outside, unless the row says otherwise. */
function isOutside(row, name) {
  if (isOfNode(name)) return true;
  if (row.absent.includes(name)) return true;
  if (name.startsWith('.') || name.startsWith('/') || name.startsWith('#') || OURS.test(name)) return false;
  return !row.inside.some((pattern) => pattern.test(insidePath(name)));
}

/** An import as a path that the patterns of a row know. */
function insidePath(name) {
  const module = name.replace('@bufbuild/protovalidate/gen/', '@bufbuild/protovalidate/dist/esm/gen/');
  return `/${module}/`;
}

function isOfNode(name) {
  return name.startsWith('node:') || builtinModules.includes(name);
}

/** `@scope/name/path` is of `@scope/name`. */
function packageOf(name) {
  return name.split('/', name.startsWith('@') ? 2 : 1).join('/');
}

function failOnWarning(level, log) {
  if (level === 'warn') throw new Error(log.message);
}

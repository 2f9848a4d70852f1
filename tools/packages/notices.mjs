// Names and licences of the packages of others that are part of a tarball's files.
import { existsSync, globSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';

/** The text of THIRD-PARTY-NOTICES for modules in node_modules; `undefined` where there are none. */
export function noticesOf(modules) {
  const folders = [...new Set(modules.map(packageFolder))].sort();
  if (folders.length === 0) return undefined;
  return `Packages of others that are part of the files of this one.\n\n${folders.map(noticeOf).join('\n')}`;
}

function packageFolder(module) {
  let folder = dirname(module);
  while (!isPackage(folder)) folder = dirname(folder);
  return folder;
}

/** Folders with a `package.json` that only says how to read their files are not packages. */
function isPackage(folder) {
  const file = join(folder, 'package.json');
  return existsSync(file) && JSON.parse(readFileSync(file, 'utf8')).name !== undefined;
}

function noticeOf(folder) {
  const { name, version, license, author } = JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8'));
  const [file] = globSync('{LICENSE,LICENCE,license}*', { cwd: folder });
  const by = typeof author === 'object' ? author.name : author;
  const text = file === undefined ? '' : `\n${readFileSync(join(folder, file), 'utf8').trim()}\n`;
  return `${'='.repeat(80)}\n${name} ${version}, ${license}${by ? `, ${by}` : ''}\n${text}`;
}

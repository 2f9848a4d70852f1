// Tar archives that have the same bytes for the same files: in the order of their names, with one time and no names of users.
import { lstatSync, readdirSync, readFileSync, readlinkSync } from 'node:fs';
import { join } from 'node:path';
import { buffer } from 'node:stream/consumers';
import { pack } from 'tar-stream';

/** The time of everything in an archive. */
export const FILE_TIME = new Date(0);
/** The folder that is archived may be one that only its maker may read. */
const FOLDER_MODE = 0o755;

/** The files below a folder, under a path of the archive. `owners` has the user ids of the few paths that root does not own. */
export async function tarOf(folder, to, owners = {}) {
  const archive = pack();
  void fill(archive, folder, to, owners);
  return await buffer(archive);
}

/** Writes an entry, and resolves when the next one may be written. */
export function writeEntry(archive, header, bytes) {
  return new Promise((resolve, reject) => {
    archive.entry(header, bytes, (error) => (error ? reject(error) : resolve()));
  });
}

async function fill(archive, folder, to, owners) {
  for (const path of ['', ...pathsBelow(folder)].sort()) {
    const name = join(to, path).replace(/^\/+/, '');
    if (name === '') continue;
    const from = join(folder, path);
    const stat = lstatSync(from);
    const owner = owners[`/${name}`] ?? 0;
    const mode = path === '' ? FOLDER_MODE : stat.mode & 0o7777;
    const header = { name, mode, mtime: FILE_TIME, uid: owner, gid: owner };
    if (stat.isSymbolicLink()) archive.entry({ ...header, type: 'symlink', linkname: readlinkSync(from) });
    else if (stat.isDirectory()) archive.entry({ ...header, type: 'directory' });
    else await writeEntry(archive, header, readFileSync(from));
  }
  archive.finalize();
}

/** Unlike a recursive `readdirSync`, does not follow links. */
function* pathsBelow(folder, below = '') {
  for (const entry of readdirSync(join(folder, below), { withFileTypes: true })) {
    const path = join(below, entry.name);
    yield path;
    if (entry.isDirectory()) yield* pathsBelow(folder, path);
  }
}

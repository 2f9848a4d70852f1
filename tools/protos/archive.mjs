// Writes `protos.tar.gz`, the same bytes for the same protos: `node tools/protos/archive.mjs FOLDER`.
import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { buffer } from 'node:stream/consumers';
import { createGzip } from 'node:zlib';
import { pack } from 'tar-stream';
import { writeProtos } from './release.mjs';

const NAME = 'protos.tar.gz';

/** Writes the archive into a folder, and returns its path. */
export async function archiveProtos(folder) {
  const protos = mkdtempSync(join(tmpdir(), 'callpass-protos-'));
  try {
    writeProtos(protos);
    const archive = pack();
    for (const entry of readdirSync(protos, { recursive: true }).sort()) {
      if (statSync(join(protos, entry)).isDirectory()) continue;
      archive.entry(
        { name: `callpass-protos/${entry}`, mtime: new Date(0) },
        readFileSync(join(protos, entry)),
      );
    }
    archive.finalize();
    const file = join(folder, NAME);
    writeFileSync(file, await buffer(archive.pipe(createGzip({ level: 9 }))));
    return file;
  } finally {
    rmSync(protos, { recursive: true, force: true });
  }
}

if (import.meta.main) {
  const [folder] = process.argv.slice(2);
  if (folder === undefined) throw new Error('usage: node tools/protos/archive.mjs FOLDER');
  await archiveProtos(resolve(folder));
}

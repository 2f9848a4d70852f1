// Writes `protos.tar.gz`, the same bytes for the same protos: `node tools/protos/archive.mjs FOLDER`.
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { gzipSync } from 'node:zlib';
import { tarOf } from '../tar/tar-of.mjs';
import { writeProtos } from './release.mjs';

const NAME = 'protos.tar.gz';

/** Writes the archive into a folder, and returns its path. */
export async function archiveProtos(folder) {
  const protos = mkdtempSync(join(tmpdir(), 'callpass-protos-'));
  try {
    writeProtos(protos);
    const file = join(folder, NAME);
    writeFileSync(file, gzipSync(await tarOf(protos, 'callpass-protos'), { level: 9 }));
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

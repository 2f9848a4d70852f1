import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TestDatabase } from '@callpass/testkit/postgres-server';

/** A database file in a folder of its own. */
export async function sqliteTestDatabase(): Promise<TestDatabase & { path: string }> {
  const folder = await mkdtemp(join(tmpdir(), 'callpass-store-'));
  const path = join(folder, 'store.db');
  return {
    url: `sqlite:${path}`,
    path,
    async dump() {
      const files = await readdir(folder);
      return Buffer.concat(await Promise.all(files.map((file) => readFile(join(folder, file)))));
    },
    remove: () => rm(folder, { recursive: true }),
  };
}

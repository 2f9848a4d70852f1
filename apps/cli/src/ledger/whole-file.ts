import { randomBytes } from 'node:crypto';
import { type FileHandle, open, rename, rm } from 'node:fs/promises';
import { describeFault, EXIT } from '@callpass/program';
import { Failure, wrongUse } from '../failure.ts';

/**
 * Writes a file that is there as a whole or not at all: under another name beside it, readable by its owner only, and in its
 * place once everything is on the disk. Takes the other file away when `write` throws.
 *
 * Throws a Failure that names the file: of use where it cannot be made.
 */
export async function writeWholeFile<T>(
  name: string,
  write: (append: (bytes: Uint8Array) => Promise<void>) => Promise<T>,
): Promise<T> {
  const part = `${name}.${randomBytes(4).toString('hex')}.part`;
  const failed = (error: unknown) => `cannot write ${name}: ${describeFault(error)}`;
  const refuse = (error: unknown): never => {
    throw new Failure(EXIT.failed, { message: failed(error) });
  };
  const handle = await open(part, 'wx', 0o600).catch((error: unknown) => {
    throw wrongUse(failed(error));
  });
  try {
    const result = await closing(handle, async () => {
      const written = await write((bytes) => handle.writeFile(bytes).catch(refuse));
      await handle.sync().catch(refuse);
      return written;
    });
    await rename(part, name).catch(refuse);
    return result;
  } catch (error) {
    await rm(part, { force: true });
    throw error;
  }
}

async function closing<T>(handle: FileHandle, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } finally {
    await handle.close();
  }
}

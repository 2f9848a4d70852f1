import { statSync, statfsSync } from 'node:fs';
import { dirname, resolve } from 'node:path';
import { ok, problem, warning, type Finding } from '@callpass/program';
import { storeFile } from '@callpass/storage';
import { loadKeyEncryptionKey } from '../settings/key-encryption.ts';
import { SettingsError } from '../settings/load.ts';
import type { Settings } from '../settings/schema.ts';

const READABLE_BY_OTHERS = 0o007;
const GIB = 1024 ** 3;

/** A write-ahead log and a backup beside the store need room, and a full disk stops issuing. */
const TIGHT_BYTES = 2 * GIB;
const FULL_BYTES = GIB / 8;

/** Looks whether the key-encryption key can be read, and by whom else. */
export function checkKeyEncryptionKey(settings: Pick<Settings, 'keyEncryption'>): Finding {
  const name = 'key-encryption key';
  const { keyFile } = settings.keyEncryption;
  try {
    loadKeyEncryptionKey(settings).fill(0);
  } catch (error) {
    if (!(error instanceof SettingsError)) throw error;
    return problem(
      name,
      error.message,
      'put the key back that the store was made with; a new one opens nothing',
    );
  }
  if (keyFile === undefined)
    return warning(
      name,
      'given as a setting, where it is easily printed',
      'give keyEncryption.keyFile instead',
    );
  if ((statSync(keyFile).mode & READABLE_BY_OTHERS) !== 0)
    return warning(name, `${keyFile} can be read by every user of this machine`, `chmod 600 ${keyFile}`);
  return ok(name, keyFile);
}

/** Looks how much room the disk of a store in a file has. A database server looks after its own. */
export function checkDisk(
  { store }: Pick<Settings, 'store'>,
  freeBytes: (folder: string) => number = readFreeBytes,
): readonly Finding[] {
  const file = storeFile(store.url);
  if (file === undefined) return [];
  const name = 'disk';
  const folder = dirname(resolve(file));
  const advice =
    'free some, enlarge it, or shorten the ledger: callpass ledger export, then callpass ledger remove';
  let free: number;
  try {
    free = freeBytes(folder);
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code ?? 'unknown';
    return [problem(name, `${folder} cannot be reached (${code})`, 'make the folder of store.url')];
  }
  const text = `${(free / GIB).toFixed(1)} GiB free in ${folder}`;
  if (free < FULL_BYTES) return [problem(name, text, advice)];
  return [free < TIGHT_BYTES ? warning(name, text, advice) : ok(name, text)];
}

function readFreeBytes(folder: string): number {
  const { bavail, bsize } = statfsSync(folder);
  return bavail * bsize;
}

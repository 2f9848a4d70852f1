import { readFileSync } from 'node:fs';
import { describeFault } from '@callpass/program';
import { readSealKey, SealKeyError } from '@callpass/storage';
import { SettingsError } from './load.ts';
import type { Settings } from './schema.ts';

/** The key-encryption key, from the file or the setting itself. Throws SettingsError that says what is needed. */
export function loadKeyEncryptionKey(settings: Pick<Settings, 'keyEncryption'>): Uint8Array {
  const { keyFile, key } = settings.keyEncryption;
  if ((keyFile === undefined) === (key === undefined)) {
    throw new SettingsError([
      `keyEncryption: ${key === undefined ? 'either keyFile or key is needed' : 'keyFile and key exclude each other'}; make one with: openssl rand -base64 32`,
    ]);
  }
  try {
    return readSealKey(keyFile === undefined ? (key as string) : readFileSync(keyFile));
  } catch (error) {
    const name = keyFile === undefined ? 'keyEncryption.key' : `keyEncryption.keyFile: ${keyFile}`;
    const why = error instanceof SealKeyError ? error.message : describeFault(error);
    throw new SettingsError([`${name}: ${why}`]);
  }
}

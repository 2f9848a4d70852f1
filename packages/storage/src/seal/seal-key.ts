/** A key-encryption key that cannot be used. The text never holds any part of what was given. */
export class SealKeyError extends Error {
  constructor(message: string) {
    super(message);
    this.name = 'SealKeyError';
  }
}

/** Length of a key-encryption key in bytes. */
export const SEAL_KEY_BYTES = 32;

const HEX = /^[0-9a-fA-F]{64}$/;
const BASE64 = /^[A-Za-z0-9+/_-]{43}=?$/;

/**
 * The key-encryption key from the text of a file or a setting: 32 bytes written in base64 (plain or URL-safe) or as 64
 * hexadecimal digits, with white space around it allowed. Throws {@link SealKeyError} for anything else.
 */
export function readSealKey(text: string | Uint8Array): Uint8Array {
  const written = (typeof text === 'string' ? text : Buffer.from(text).toString('latin1')).trim();
  if (HEX.test(written)) return Buffer.from(written, 'hex');
  if (BASE64.test(written)) return Buffer.from(written, 'base64');
  throw new SealKeyError(
    `the key-encryption key must be 32 bytes in base64 or 64 hexadecimal digits, found ${written.length} characters`,
  );
}

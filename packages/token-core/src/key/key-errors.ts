import type { Cipher } from '../cipher/cipher-table.ts';

/** A key text has not the length its cipher needs. Lengths are bytes of UTF-8; the key itself is not in it. */
export class KeyLengthError extends Error {
  override readonly name = 'KeyLengthError';
  readonly code = 'KEY_LENGTH_INVALID';
  readonly cipher: Cipher;
  readonly found: number;
  readonly needed: number;

  constructor(lengths: { readonly cipher: Cipher; readonly found: number; readonly needed: number }) {
    super(`key for ${lengths.cipher} has ${lengths.found} bytes, needed are ${lengths.needed}`);
    this.cipher = lengths.cipher;
    this.found = lengths.found;
    this.needed = lengths.needed;
  }
}

/** A key handle was used after its `destroy()`. */
export class KeyDestroyedError extends Error {
  override readonly name = 'KeyDestroyedError';
  readonly code = 'KEY_DESTROYED';

  constructor() {
    super('the key was destroyed');
  }
}

import { BLOCK_BYTES } from './engine.ts';

const PADDINGS = Array.from({ length: BLOCK_BYTES + 1 }, (_, count) =>
  String.fromCharCode(count).repeat(count),
);

/** PKCS#7 padding (RFC 5652 section 6.3) after `length` bytes: 1 to 16 characters below U+0011. */
export function paddingText(length: number): string {
  return PADDINGS[BLOCK_BYTES - (length % BLOCK_BYTES)] as string;
}

/**
 * Number of bytes before the PKCS#7 padding, or -1 if the padding is wrong. Runs in constant time for a given length.
 * `bytes` has at least one whole block.
 */
export function unpaddedLength(bytes: Uint8Array): number {
  const last = bytes.length - 1;
  const count = bytes[last] as number;
  let bad = ((count - 1) >>> 31) | ((BLOCK_BYTES - count) >>> 31);
  for (let i = 0; i < BLOCK_BYTES; i++) {
    const inPadding = (i - count) >> 31;
    bad |= inPadding & ((bytes[last - i] as number) ^ count);
  }
  const good = ((bad - 1) >> 31) & 1;
  return good * (bytes.length - count + 1) - 1;
}

import { BLOCK_BYTES } from './engine.ts';

const PADDINGS = Array.from({ length: BLOCK_BYTES + 1 }, (_, count) =>
  String.fromCharCode(count).repeat(count),
);

/** The PKCS#7 padding (RFC 5652 section 6.3) that follows `length` bytes: 1 to 16 characters below U+0011. */
export function paddingText(length: number): string {
  return PADDINGS[BLOCK_BYTES - (length % BLOCK_BYTES)] as string;
}

/**
 * The number of bytes before PKCS#7 padding, or -1 when the padding is wrong. Time depends on neither the bytes nor the
 * answer. `bytes` holds at least one whole block.
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

import { isUtf8 } from 'node:buffer';
import { BLOCK_BYTES, type Decryption } from './engine.ts';
import { unpaddedLength } from './padding.ts';

/** Result for a token whose MAC does not match or whose form is wrong. */
export const NOT_AUTHENTIC: Decryption = Object.freeze({
  plaintext: undefined,
  authentic: false,
  legibleStart: false,
});

/** Decodes decrypted blocks and overwrites them. Wrong padding and wrong UTF-8 take the same steps and give the same result. */
export function decodePlaintext(blocks: Buffer, authentic: true | undefined): Decryption {
  const length = unpaddedLength(blocks);
  const content = blocks.subarray(0, length < 0 ? blocks.length : length);
  const text = isUtf8(content) ? content.toString('utf8') : undefined;
  let illegible = 0;
  for (let i = 0; i < BLOCK_BYTES; i++) {
    const byte = blocks[i] as number;
    illegible |= (byte - 0x20) | (0x7e - byte);
  }
  blocks.fill(0);
  return { plaintext: length < 0 ? undefined : text, authentic, legibleStart: illegible >= 0 };
}

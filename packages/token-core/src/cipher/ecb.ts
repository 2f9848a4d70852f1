import { createCipheriv, createDecipheriv } from 'node:crypto';
import { decodePlaintext } from './decoding.ts';
import { type Engine, MAX_PLAINTEXT_BYTES, MAX_TOKEN_CHARACTERS } from './engine.ts';
import { paddingText } from './padding.ts';

/** Texts that are encrypted in one pass; with more of them a token does not take less time. */
const TEXTS_A_PASS = 96;

/** Plaintexts of a pass. All keys share it: it is overwritten before a pass ends. */
const plain = Buffer.alloc(TEXTS_A_PASS * MAX_PLAINTEXT_BYTES);

/**
 * Creates the engine for AES-128-ECB: token = HEX(AES-128-ECB-PKCS7(key, plaintext)).
 *
 * ECB keeps no state between blocks, so one cipher context serves the key for its whole life, and many tokens are
 * encrypted in one pass over one buffer. Creating a context is slow, and so is a call of it; encrypting is not.
 */
export function createEcbEngine(key: Uint8Array): Engine {
  const cipher = createCipheriv('aes-128-ecb', key, null).setAutoPadding(false);
  const decipher = createDecipheriv('aes-128-ecb', key, null).setAutoPadding(false);
  const ciphertext = Buffer.alloc(MAX_TOKEN_CHARACTERS / 2);

  function encryptPass(plaintexts: readonly string[]): string[] {
    let laid = layOut(plaintexts, charactersOf);
    const written = plain.write(laid.text, 'utf8');
    if (written !== laid.text.length) {
      laid = layOut(plaintexts, bytesOf);
      plain.write(laid.text, 'utf8');
    }
    const length = laid.ends.at(-1) ?? 0;
    const hex = cipher.update(plain.subarray(0, length)).toString('hex').toUpperCase();
    plain.fill(0, 0, Math.max(written, length));
    let start = 0;
    return laid.ends.map((end) => hex.slice(start, (start = 2 * end)));
  }

  return {
    encrypt(plaintexts) {
      if (plaintexts.length <= TEXTS_A_PASS) return encryptPass(plaintexts);
      const tokens: string[] = [];
      for (let at = 0; at < plaintexts.length; at += TEXTS_A_PASS)
        tokens.push(...encryptPass(plaintexts.slice(at, at + TEXTS_A_PASS)));
      return tokens;
    },

    decrypt(token) {
      const length = ciphertext.write(token, 'hex');
      const blocks = decipher.update(ciphertext.subarray(0, length));
      ciphertext.fill(0, 0, length);
      return decodePlaintext(blocks, undefined);
    },

    destroy() {
      ciphertext.fill(0);
      cipher.final();
      decipher.final();
    },
  };
}

const charactersOf = (text: string): number => text.length;
const bytesOf = (text: string): number => Buffer.byteLength(text, 'utf8');

/**
 * Joins the texts with their padding, and returns the byte offset at which each ends: one write of a long string takes a
 * third of the time of three writes. In ASCII texts, which are nearly all, each character is one byte.
 */
function layOut(
  plaintexts: readonly string[],
  lengthOf: (text: string) => number,
): { text: string; ends: number[] } {
  let text = '';
  let end = 0;
  const ends = plaintexts.map((plaintext) => {
    const length = lengthOf(plaintext);
    const padding = paddingText(length);
    text += plaintext + padding;
    return (end += length + padding.length);
  });
  return { text, ends };
}

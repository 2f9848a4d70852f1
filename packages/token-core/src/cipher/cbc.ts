import { createCipheriv, createDecipheriv, timingSafeEqual } from 'node:crypto';
import { drawAlphanumeric } from '../random/draw-alphanumeric.ts';
import { decodePlaintext, NOT_AUTHENTIC } from './decoding.ts';
import { BLOCK_BYTES, type Engine, MAX_PLAINTEXT_BYTES, MAX_TOKEN_CHARACTERS } from './engine.ts';
import { createMessageAuthenticator } from './hmac.ts';
import { paddingText } from './padding.ts';

const MAC_CHARACTERS = 64;
const HEX_DIGITS = Buffer.from('0123456789ABCDEF', 'latin1');

/**
 * Creates the engine for AES-256-CBC with HMAC-SHA256, both with one key: token = MAC + IV + CT, CT = HEX(AES-256-CBC-PKCS7(key, IV, plaintext)),
 * MAC = HEX(HMAC-SHA256(key, IV + CT)) over that text.
 *
 * One cipher context serves the key for its whole life, since creating one is slow. The only state of a CBC context is the
 * last block of ciphertext, which is kept here too: `plaintext xor IV xor last` in the first block starts a new message with
 * any IV, with the same result as a new context. For decryption, the IV is passed in ahead of the ciphertext.
 */
export function createCbcEngine(key: Uint8Array): Engine {
  const last = Buffer.alloc(BLOCK_BYTES);
  const cipher = createCipheriv('aes-256-cbc', key, last).setAutoPadding(false);
  const decipher = createDecipheriv('aes-256-cbc', key, last).setAutoPadding(false);
  const authenticator = createMessageAuthenticator(key, MAX_TOKEN_CHARACTERS - MAC_CHARACTERS);
  const signed = authenticator.message;
  const plain = Buffer.alloc(MAX_PLAINTEXT_BYTES);
  const ciphertext = Buffer.alloc(MAX_TOKEN_CHARACTERS / 2);
  const found = Buffer.alloc(MAC_CHARACTERS);
  const expected = Buffer.alloc(MAC_CHARACTERS);

  function encryptOne(plaintext: string, ivs: Uint8Array, ivStart: number): string {
    const length = plain.write(plaintext, 'utf8');
    const end = length + plain.write(paddingText(length), length, 'latin1');
    for (let i = 0; i < BLOCK_BYTES; i++) {
      const iv = ivs[ivStart + i] as number;
      signed[i] = iv;
      plain[i] = (plain[i] as number) ^ iv ^ (last[i] as number);
    }
    const blocks = cipher.update(plain.subarray(0, end));
    plain.fill(0, 0, end);
    let at = BLOCK_BYTES;
    for (let i = 0; i < end; i++) {
      const byte = blocks[i] as number;
      signed[at++] = HEX_DIGITS[byte >> 4] as number;
      signed[at++] = HEX_DIGITS[byte & 15] as number;
    }
    for (let i = 0; i < BLOCK_BYTES; i++) last[i] = blocks[end - BLOCK_BYTES + i] as number;
    return authenticator.sign(at).toUpperCase() + signed.toString('latin1', 0, at);
  }

  return {
    encrypt(plaintexts, random) {
      const ivs = drawAlphanumeric(random, plaintexts.length * BLOCK_BYTES);
      return plaintexts.map((plaintext, index) => encryptOne(plaintext, ivs, index * BLOCK_BYTES));
    },

    decrypt(token) {
      found.write(token.slice(0, MAC_CHARACTERS), 'latin1');
      const mac = authenticator.sign(signed.write(token.slice(MAC_CHARACTERS), 'latin1'));
      expected.write(mac.toUpperCase(), 'latin1');
      if (!timingSafeEqual(found, expected)) return NOT_AUTHENTIC;
      const ivLength = ciphertext.write(token.slice(MAC_CHARACTERS, MAC_CHARACTERS + BLOCK_BYTES), 'latin1');
      const length = ivLength + ciphertext.write(token.slice(MAC_CHARACTERS + BLOCK_BYTES), ivLength, 'hex');
      const blocks = decipher.update(ciphertext.subarray(0, length));
      ciphertext.fill(0, 0, length);
      return decodePlaintext(blocks.subarray(BLOCK_BYTES), true);
    },

    destroy() {
      for (const buffer of [last, plain, ciphertext, found, expected]) buffer.fill(0);
      authenticator.destroy();
      cipher.final();
      decipher.final();
    },
  };
}

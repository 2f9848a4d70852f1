import { createCipheriv, createDecipheriv, createHmac } from 'node:crypto';

// The formats once more, written straight from the format page with node:crypto, so that tests do not check token-core by
// itself.

/** An AES_128_ECB token of any plaintext. */
export function ecbToken(key: string, plaintext: string): string {
  const cipher = createCipheriv('aes-128-ecb', key, null);
  return (cipher.update(plaintext, 'utf8', 'hex') + cipher.final('hex')).toUpperCase();
}

/** The plaintext of an AES_128_ECB token. */
export function openEcb(key: string, token: string): string {
  const decipher = createDecipheriv('aes-128-ecb', key, null);
  return decipher.update(token, 'hex', 'utf8') + decipher.final('utf8');
}

/** An AES_256_CBC_HMAC_SHA256 token of any plaintext. `macKey` may differ to make a bad MAC. */
export function cbcToken(
  key: string,
  plaintext: string,
  options: { iv?: string; padding?: boolean } = {},
): string {
  const { iv = 'AbCdEfGhIjKlMnOp', padding = true } = options;
  const cipher = createCipheriv('aes-256-cbc', key, iv).setAutoPadding(padding);
  const text = iv + (cipher.update(plaintext, 'utf8', 'hex') + cipher.final('hex')).toUpperCase();
  return createHmac('sha256', key).update(text).digest('hex').toUpperCase() + text;
}

/** IV and plaintext of an AES_256_CBC_HMAC_SHA256 token, its MAC checked. */
export function openCbc(key: string, token: string): { iv: string; plaintext: string } {
  const text = token.slice(64);
  const mac = createHmac('sha256', key).update(text).digest('hex').toUpperCase();
  if (mac !== token.slice(0, 64)) throw new Error('the MAC does not hold');
  const iv = text.slice(0, 16);
  const decipher = createDecipheriv('aes-256-cbc', key, iv);
  return { iv, plaintext: decipher.update(text.slice(16), 'hex', 'utf8') + decipher.final('utf8') };
}

import { createCipheriv, createHmac, randomBytes } from 'node:crypto';

/** The users of one call, as the tokens carry them: `sip:` in front of from and to. */
export interface StraightforwardCall {
  readonly account: string;
  readonly from: string;
  readonly to: string;
  readonly timestampMs: number;
}

const ALPHANUMERIC = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789';

/** The yardstick for ECB: the three tokens of a call the way anybody writes them first, one new cipher for each. */
export function encryptEcbStraightforwardly(key: string, call: StraightforwardCall): string[] {
  return [call.account, call.from, call.to].map((user) => {
    const cipher = createCipheriv('aes-128-ecb', key, null);
    return (cipher.update(`${user};${call.timestampMs}`, 'utf8', 'hex') + cipher.final('hex')).toUpperCase();
  });
}

/** The yardstick for CBC: one new cipher, one new HMAC and one random IV for each of the three tokens of a call. */
export function encryptCbcStraightforwardly(key: string, call: StraightforwardCall): string[] {
  return [call.account, call.from, call.to].map((user) => {
    let iv = '';
    for (const byte of randomBytes(16)) iv += ALPHANUMERIC.charAt(byte % ALPHANUMERIC.length);
    const cipher = createCipheriv('aes-256-cbc', key, iv);
    const plaintext = `${user};x-ts=${call.timestampMs}`;
    const ciphertext = (cipher.update(plaintext, 'utf8', 'hex') + cipher.final('hex')).toUpperCase();
    const mac = createHmac('sha256', key)
      .update(iv + ciphertext)
      .digest('hex');
    return mac.toUpperCase() + iv + ciphertext;
  });
}

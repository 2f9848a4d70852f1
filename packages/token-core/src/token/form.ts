import {
  BLOCK_DIGITS,
  type Cipher,
  type CipherRow,
  cipherRow,
  type TokenPartName,
} from '../cipher/cipher-table.ts';
import { MAX_TOKEN_CHARACTERS } from '../cipher/engine.ts';

/** Fault in the form of a token. Contains positions and lengths only, never the text. */
export type FormFault =
  | { readonly code: 'BAD_LENGTH'; readonly length: number }
  | { readonly code: 'NOT_HEX'; readonly position: number; readonly part: TokenPartName };

/** Number of characters before the ciphertext. */
export function headLength(row: CipherRow): number {
  return row.parts.reduce((sum, part) => sum + (part.length ?? 0), 0);
}

/**
 * Finds the faults in the form of `token`: a wrong length, and the position of the first invalid character (counted from 0).
 * Empty if it is well-formed. Of a text over 4096 characters only the length is checked.
 */
export function findFormFaults(row: CipherRow, token: string): FormFault[] {
  const length = token.length;
  if (length > MAX_TOKEN_CHARACTERS) return [{ code: 'BAD_LENGTH', length }];
  const ciphertext = length - headLength(row);
  const faults: FormFault[] = [];
  if (ciphertext < BLOCK_DIGITS || ciphertext % BLOCK_DIGITS !== 0)
    faults.push({ code: 'BAD_LENGTH', length });
  let start = 0;
  for (const part of row.parts) {
    const end = part.length === undefined ? length : start + part.length;
    const at = token.slice(start, end).search(part.unexpected);
    if (at >= 0) {
      faults.push({ code: 'NOT_HEX', position: start + at, part: part.name });
      break;
    }
    start = end;
  }
  return faults;
}

/** Checks that `token` has the form of the cipher. Independent of the key. */
export function isWellFormed(row: CipherRow, token: string): boolean {
  return findFormFaults(row, token).length === 0;
}

/**
 * Converts a well-formed token to its canonical text, which the issuer writes: hex in upper case. Compare tokens by it.
 *
 * @example
 * console.log(canonicalToken('AES_128_ECB', 'ab'.repeat(16))); // ABABABABABABABABABABABABABABABAB
 */
export function canonicalToken(cipher: Cipher, token: string): string {
  const row = cipherRow(cipher);
  return row.caseMatters ? token : upperCaseHex(row, token);
}

/** Converts the hex of a well-formed `token` to upper case; the IV stays as it is. */
export function upperCaseHex(row: CipherRow, token: string): string {
  let start = 0;
  let text = '';
  for (const part of row.parts) {
    const end = part.length === undefined ? token.length : start + part.length;
    const piece = token.slice(start, end);
    text += part.name === 'IV' ? piece : piece.toUpperCase();
    start = end;
  }
  return text;
}

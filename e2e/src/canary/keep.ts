import { appendFileSync } from 'node:fs';
import { join } from 'node:path';

/** Variable with the path of the file of a run's secrets. Only its owner can read it, and it is deleted after the run. */
export const CANARIES_VARIABLE = 'CALLPASS_E2E_CANARIES';

/** Variable with the folder of everything that a run has emitted. */
export const EMITTED_VARIABLE = 'CALLPASS_E2E_EMITTED';

/** A thing that must never be emitted, by what it is. */
export interface Canary {
  readonly what: string;
  readonly value: string | Uint8Array;
}

/** Shorter texts, and such of hardly any different characters, would be found by chance. */
const LEAST_LENGTH = 8;
const LEAST_DIFFERENT = 4;

/** A load mints hundreds of thousands of tokens; where one of them would slip out, so would these. */
const MOST_OF_A_KIND = 2000;

const planted = new Set<string>();
const kinds = new Map<string, number>();

/** Checks that a value is too long to be found by chance. */
export function isTellable(value: string | Uint8Array): boolean {
  const bytes = Buffer.from(value);
  return bytes.length >= LEAST_LENGTH && new Set(bytes).size >= LEAST_DIFFERENT;
}

/** Lists a secret, so that the run fails where it is found in anything emitted. Values that chance could find are left out. */
export function plant(what: string, value: string | Uint8Array): void {
  const encoded = Buffer.from(value).toString('base64');
  const count = kinds.get(what) ?? 0;
  if (!isTellable(value) || count >= MOST_OF_A_KIND || planted.has(encoded)) return;
  planted.add(encoded);
  kinds.set(what, count + 1);
  appendFileSync(variable(CANARIES_VARIABLE), `${JSON.stringify({ what, value: encoded })}\n`);
}

/**
 * Lists the tokens in what a service answered, as JSON or lines. All begin with 32 hexadecimal digits, and one of
 * AES_256_CBC_HMAC_SHA256 has an initialisation vector of any letters in it.
 */
export function plantTokensIn(answer: string): void {
  for (const [token] of answer.matchAll(/\b[0-9A-F]{32}[0-9A-Za-z]{32,}\b/g)) plant('issued token', token);
}

/** Keeps what was emitted under a name, after what was kept there before. */
export function keep(name: string, emitted: string | Uint8Array): void {
  if (emitted.length > 0) appendFileSync(join(variable(EMITTED_VARIABLE), name), emitted);
}

function variable(name: string): string {
  const value = process.env[name];
  if (value === undefined) throw new Error(`${name} is not set: jest.e2e.config.mjs does so`);
  return value;
}

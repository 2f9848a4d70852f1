import { describeError, type Logger } from '@callpass/program/log';
import { followFiles } from '@callpass/program';
import { parseIssuerKeys, type IssuerKeys } from './issuer-keys.ts';

/** The public keys of an issuer, followed where they are published. */
export interface KeySet {
  /** The keys in force; `undefined` while there are none. */
  readonly keys: IssuerKeys | undefined;
  /** Changes with the keys in force, so that nothing rests on a key that may be gone. */
  readonly version: number;
  /** True if the keys could not be read the last time. */
  readonly outOfReach: boolean;
  /** Reads the keys again for a token that none of them has signed. Does nothing during the cooldown. Does not reject. */
  readAgain(): Promise<void>;
  stop(): void;
}

/** From the first byte of the request to the last of the key set. */
const TIMEOUT_MS = 3000;
/** Key sets of real issuers have a few keys of 1 to 3 KiB. */
const MAX_BYTES = 256 * 1024;
/** At most one request in this time, whatever it ends with, so that made-up tokens do not load the issuer. */
const COOLDOWN_MS = 30_000;
const REFRESH_MS = 600_000;
/** Keys that could not be read again for so long are not trusted any more. */
const MAX_AGE_MS = 24 * 3_600_000;

/**
 * Keys behind a URL. They are read at once and every ten minutes, and when a token is of none of them. While the issuer is
 * away, the last keys stay in force for a day.
 */
export function remoteKeySet(url: string, log: Logger, clock: { now(): number }): KeySet {
  let keys: IssuerKeys | undefined;
  let text: string | undefined;
  let version = 0;
  let askedAtMs = -Infinity;
  let readAtMs = -Infinity;
  let outOfReach = false;
  let reading: Promise<void> | undefined;
  const isOver = (sinceMs: number, periodMs: number) => Math.abs(clock.now() - sinceMs) >= periodMs;

  const read = async () => {
    askedAtMs = clock.now();
    try {
      const answer = await fetchText(url);
      if (answer !== text) {
        keys = parseIssuerKeys(answer);
        text = answer;
        version++;
      }
      readAtMs = clock.now();
      outOfReach = false;
    } catch (error) {
      outOfReach = true;
      log.warn({ url, error: describeError(error) }, 'cannot read the keys of an issuer of tokens');
      if (keys !== undefined && isOver(readAtMs, MAX_AGE_MS)) {
        keys = text = undefined;
        version++;
      }
    }
  };
  const readAgain = async () => {
    if (reading === undefined && !isOver(askedAtMs, COOLDOWN_MS)) return;
    await (reading ??= read().finally(() => {
      reading = undefined;
    }));
  };
  void readAgain();
  const timer = setInterval(() => void readAgain(), REFRESH_MS).unref();
  return {
    get keys() {
      return keys;
    },
    get version() {
      return version;
    },
    get outOfReach() {
      return outOfReach;
    },
    readAgain,
    stop: () => {
      clearInterval(timer);
    },
  };
}

/** Fetches a text of at most {@link MAX_BYTES} within {@link TIMEOUT_MS}. Follows no redirect. */
async function fetchText(url: string): Promise<string> {
  const { status, body } = await fetch(url, {
    headers: { accept: 'application/json, application/jwk-set+json' },
    redirect: 'manual',
    signal: AbortSignal.timeout(TIMEOUT_MS),
  });
  if (status !== 200 || body === null) {
    await body?.cancel();
    throw new Error(`the issuer answers with status ${status}`);
  }
  const chunks: Uint8Array[] = [];
  let bytes = 0;
  // Leaving the loop ends the transfer.
  for await (const chunk of body as AsyncIterable<Uint8Array>) {
    bytes += chunk.length;
    if (bytes > MAX_BYTES) throw new Error(`the key set has more than ${MAX_BYTES} bytes`);
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString('utf8');
}

/** Keys in a file, read again when it changes. Throws when it cannot be used at the start; later the last keys stay in force. */
export function fileKeySet(name: string, log: Logger): KeySet {
  let keys: IssuerKeys | undefined;
  let version = 0;
  const files = followFiles(
    [name],
    ([content]) => {
      keys = parseIssuerKeys(String(content));
      version++;
    },
    (error) => {
      log.error({ file: name, error: describeError(error) }, 'keys not taken; the last ones stay in force');
    },
  );
  return {
    get keys() {
      return keys;
    },
    get version() {
      return version;
    },
    outOfReach: false,
    readAgain: () => Promise.resolve(),
    stop: () => {
      files.stop();
    },
  };
}

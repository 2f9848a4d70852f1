import { get as getPlain, type IncomingMessage } from 'node:http';
import { get as getEncrypted } from 'node:https';
import { performance } from 'node:perf_hooks';
import { parsePrometheusText, type Sample } from './prometheus-text.ts';

/** The metrics of an instance at one time. */
export interface Scrape {
  /** Monotonic time in ms at which the answer was complete. */
  readonly timeMs: number;
  readonly samples: readonly Sample[];
}

/** Bytes of an answer that are read at most: hundreds of times what a server sends. */
const MOST_BYTES = 4 * 1024 * 1024;

/** Limits of a scrape. */
export interface ScrapeLimits {
  readonly timeoutMs: number;
  readonly signal: AbortSignal;
}

/**
 * Reads the metrics port of an instance. Rejects with an Error for a person where it does not answer in time, with more than
 * 4 MiB or with something else than metrics; redirects are not followed.
 */
export async function scrape(url: URL, { timeoutMs, signal }: ScrapeLimits): Promise<Scrape> {
  const timeout = AbortSignal.timeout(timeoutMs);
  try {
    const text = await download(url, AbortSignal.any([signal, timeout]));
    return { timeMs: performance.now(), samples: parsePrometheusText(text) };
  } catch (error) {
    if (!timeout.aborted) throw error;
    throw new Error(`no answer within ${timeoutMs / 1000} s`, { cause: error });
  }
}

/** Each on a connection of its own: a port that closes idle ones must not look like a fault. */
async function download(url: URL, signal: AbortSignal): Promise<string> {
  const get = url.protocol === 'https:' ? getEncrypted : getPlain;
  const response = await new Promise<IncomingMessage>((resolve, reject) => {
    get(url, { agent: false, signal, headers: { accept: 'text/plain' } }, resolve).once('error', reject);
  });
  try {
    if (response.statusCode !== 200) throw new Error(`it answers with HTTP ${response.statusCode}`);
    const chunks: Buffer[] = [];
    let byteCount = 0;
    for await (const chunk of response as AsyncIterable<Buffer>) {
      byteCount += chunk.length;
      if (byteCount > MOST_BYTES) throw new Error(`it sends more than ${MOST_BYTES} bytes`);
      chunks.push(chunk);
    }
    return Buffer.concat(chunks).toString('utf8');
  } finally {
    response.destroy();
  }
}

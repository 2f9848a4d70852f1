import type { IncomingMessage, IncomingHttpHeaders } from 'node:http';
import type { GatewayHttpRequest } from '@callpass/token-core';

/** Pairs of headers that name the original method and URI: NGINX by custom, Traefik and Caddy. */
const PAIRS = [
  ['x-original-method', 'x-original-uri'],
  ['x-forwarded-method', 'x-forwarded-uri'],
] as const;

/** A session description and two tokens fit many times. */
const MAX_BODY_BYTES = 256 * 1024;

/** Type that the SDK sends. Another charset would be another text. */
const JSON_TYPE = /^application\/json(;\s*charset=utf-8)?$/i;

/**
 * Reads the request that a proxy asks about, with the body of any method. `undefined` unless it is there once: a proxy overwrites only
 * the pair of headers that it knows, so of two pairs one may be a stranger's. `undefined` too with a body that is larger than
 * 256 KiB, no UTF-8, not declared as JSON, or that breaks off.
 */
export async function originalRequestOf(request: IncomingMessage): Promise<GatewayHttpRequest | undefined> {
  const { headers } = request;
  const given = PAIRS.filter((pair) => pair.some((name) => headers[name] !== undefined));
  const [names] = given;
  if (given.length !== 1 || names === undefined) return undefined;
  const [method, uri] = names.map((name) => headers[name]);
  if (typeof method !== 'string' || typeof uri !== 'string') return undefined;
  const body = await readBody(request);
  return body === undefined || !isDeclared(body, headers) ? undefined : { method, uri, body };
}

function isDeclared(body: string, headers: IncomingHttpHeaders): boolean {
  return body === '' || (JSON_TYPE.test(headers['content-type'] ?? '') && !headers['content-encoding']);
}

async function readBody(request: IncomingMessage): Promise<string | undefined> {
  const chunks: Buffer[] = [];
  let size = 0;
  try {
    for await (const chunk of request as AsyncIterable<Buffer>) {
      size += chunk.length;
      if (size > MAX_BODY_BYTES) return undefined;
      chunks.push(chunk);
    }
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(Buffer.concat(chunks));
  } catch {
    return undefined;
  }
}

import type { IncomingMessage } from 'node:http';
import type { GatewayHttpRequest } from '@callpass/token-core';
import { MAX_GATEWAY_BODY_BYTES, readGatewayBody } from '@callpass/token-core/gateway';

/** Pairs of headers that name the original method and URI: NGINX by custom, Traefik and Caddy. */
const PAIRS = [
  ['x-original-method', 'x-original-uri'],
  ['x-forwarded-method', 'x-forwarded-uri'],
] as const;

/**
 * Reads the request that a proxy asks about, with the body of any method. `undefined` unless it is there once: a proxy overwrites only
 * the pair of headers that it knows, so of two pairs one may be a stranger's. `undefined` too with a body that `readGatewayBody` does
 * not read, or that breaks off.
 */
export async function originalRequestOf(request: IncomingMessage): Promise<GatewayHttpRequest | undefined> {
  const { headers } = request;
  const given = PAIRS.filter((pair) => pair.some((name) => headers[name] !== undefined));
  const [names] = given;
  if (given.length !== 1 || names === undefined) return undefined;
  const [method, uri] = names.map((name) => headers[name]);
  if (typeof method !== 'string' || typeof uri !== 'string') return undefined;
  const bytes = await readBytes(request);
  const [contentType, contentEncoding] = ['content-type', 'content-encoding'].map((name) =>
    allOf(request, name),
  );
  const body = bytes && readGatewayBody({ bytes, contentType, contentEncoding });
  return body === undefined ? undefined : { method, uri, body };
}

/** Value of a header. Several are joined, so that they are none of those that are known: Node keeps the first of some, a gateway may not. */
function allOf({ rawHeaders }: IncomingMessage, name: string): string | undefined {
  const values = rawHeaders.filter((_, at) => at % 2 === 1 && rawHeaders[at - 1]?.toLowerCase() === name);
  return values.length === 0 ? undefined : values.join(',');
}

/** All bytes of the body; `undefined` where it is larger than what is read of one, or breaks off. */
async function readBytes(request: IncomingMessage): Promise<Buffer | undefined> {
  const chunks: Buffer[] = [];
  let size = 0;
  try {
    for await (const chunk of request as AsyncIterable<Buffer>) {
      size += chunk.length;
      if (size > MAX_GATEWAY_BODY_BYTES) return undefined;
      chunks.push(chunk);
    }
    return Buffer.concat(chunks);
  } catch {
    return undefined;
  }
}

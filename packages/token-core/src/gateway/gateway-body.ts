/** A body as a proxy passes it on, and what its headers declare of it. */
export interface GatewayBody {
  readonly bytes: Uint8Array;
  /** Value of `content-type`; undefined where there is none. */
  readonly contentType: string | undefined;
  /** Value of `content-encoding`; undefined where there is none. */
  readonly contentEncoding: string | undefined;
}

/** Largest body that is read, in bytes: a session description and two tokens fit many times. */
export const MAX_GATEWAY_BODY_BYTES = 256 * 1024;

/** Type that the SDK sends. Another charset would be another text. */
const JSON_TYPE = /^application\/json(;\s*charset=utf-8)?$/i;

/**
 * Reads the body of a request to the vendor's WebRTC gateway as text; empty where there is none. `undefined` for one that is larger
 * than {@link MAX_GATEWAY_BODY_BYTES}, no UTF-8, encoded, or not declared as JSON.
 */
export function readGatewayBody({ bytes, contentType, contentEncoding }: GatewayBody): string | undefined {
  if (bytes.length === 0) return '';
  if (bytes.length > MAX_GATEWAY_BODY_BYTES || contentEncoding) return undefined;
  if (!JSON_TYPE.test(contentType ?? '')) return undefined;
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch {
    return undefined;
  }
}

import type { GatewayHttpRequest } from '@callpass/token-core';
import { readGatewayBody } from '@callpass/token-core/gateway';
import type {
  AttributeContext_HttpRequest,
  AttributeContext,
} from '@callpass/rpc-protos/gen/envoy/service/auth/v3/attribute_context_pb.js';

/** Header that Envoy sets: `false` where it passes on a body as a whole. Anything else may be only its beginning. */
const PARTIAL_BODY = 'x-envoy-auth-partial-body';
const WHOLE: readonly unknown[] = [undefined, 'false'];

/** Text with a place that may have been a byte that is no UTF-8: Envoy writes `!` there, decoders write U+FFFD. */
const REPLACED = /[!\uFFFD]/;

/** Reads the request that Envoy asks about. `undefined` unless it is there as a whole, and once. */
export function originalRequestOf(attributes: AttributeContext | undefined): GatewayHttpRequest | undefined {
  const http = attributes?.request?.http;
  if (http === undefined || !WHOLE.includes(headerOf(http, PARTIAL_BODY))) return undefined;
  const bytes = bytesOf(http);
  const contentType = headerOf(http, 'content-type');
  const contentEncoding = headerOf(http, 'content-encoding');
  const body = bytes && readGatewayBody({ bytes, contentType, contentEncoding });
  return body === undefined ? undefined : { method: http.method, uri: http.path, body };
}

/** Value of a header, in either of the forms that Envoy has for them. Several values are merged, as Envoy does it. */
function headerOf({ headers, headerMap }: AttributeContext_HttpRequest, name: string): string | undefined {
  const raw = headerMap?.headers.filter(({ key }) => key.toLowerCase() === name) ?? [];
  const values = raw.map(({ value, rawValue }) => value + Buffer.from(rawValue).toString('latin1'));
  if (Object.hasOwn(headers, name)) values.push(headers[name] ?? '');
  return values.length === 0 ? undefined : values.join(',');
}

function bytesOf({ body, rawBody }: AttributeContext_HttpRequest): Uint8Array | undefined {
  if (body === '') return rawBody;
  return rawBody.length > 0 || REPLACED.test(body) ? undefined : Buffer.from(body);
}

import type { IncomingMessage } from 'node:http';
import { promisify } from 'node:util';
import { gunzip } from 'node:zlib';

const gunzipAsync = promisify(gunzip);

/** Size limit of a body in bytes, before and after decompression. */
export const MAX_BODY_BYTES = 4 * 1024 * 1024;

/** Error for a rejected request. Its message is for the operator of the exporter. */
export class RejectedRequest extends Error {
  /** HTTP status of the response. */
  readonly httpStatus: number;
  constructor(httpStatus: number, message: string) {
    super(message);
    this.name = 'RejectedRequest';
    this.httpStatus = httpStatus;
  }
}

/**
 * Reads and decompresses an OTLP JSON body. Throws {@link RejectedRequest}: 415 for another content type or encoding, 413
 * above {@link MAX_BODY_BYTES}, 400 for invalid gzip.
 */
export async function readBody(request: IncomingMessage): Promise<string> {
  const contentType = (request.headers['content-type'] ?? '').split(';', 1)[0]?.trim().toLowerCase();
  if (contentType !== 'application/json') {
    request.resume();
    throw new RejectedRequest(
      415,
      'this receiver accepts application/json only: set OTEL_EXPORTER_OTLP_PROTOCOL=http/json',
    );
  }
  const bytes = await readBytes(request);
  const encoding = (request.headers['content-encoding'] ?? 'identity').trim().toLowerCase();
  if (encoding === 'identity') return bytes.toString('utf8');
  if (encoding !== 'gzip')
    throw new RejectedRequest(415, 'this receiver accepts the encodings gzip and identity only');
  return (await decompress(bytes)).toString('utf8');
}

async function readBytes(request: IncomingMessage): Promise<Buffer> {
  const chunks: Buffer[] = [];
  let size = 0;
  // Above the limit the rest is read and discarded: a client that is disconnected while sending would not see the response.
  for await (const chunk of request as AsyncIterable<Buffer>) {
    size += chunk.length;
    if (size <= MAX_BODY_BYTES) chunks.push(chunk);
    else chunks.length = 0;
  }
  if (size > MAX_BODY_BYTES) throw tooLarge();
  return Buffer.concat(chunks);
}

async function decompress(bytes: Buffer): Promise<Buffer> {
  try {
    return await gunzipAsync(bytes, { maxOutputLength: MAX_BODY_BYTES });
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    throw code === 'ERR_BUFFER_TOO_LARGE'
      ? tooLarge()
      : new RejectedRequest(400, 'the body is not valid gzip');
  }
}

function tooLarge(): RejectedRequest {
  return new RejectedRequest(413, `the body is larger than ${MAX_BODY_BYTES} bytes`);
}

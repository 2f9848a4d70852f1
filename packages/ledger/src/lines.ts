/** No line of an export is longer; so no file, whatever it is, takes more memory than this. */
const MAX_LINE_BYTES = 16 * 1024 * 1024;

const NEWLINE = 0x0a;

/** A line as it stands in the file. */
export interface Line {
  /** With the newline at its end. Valid until the next line is asked for. */
  readonly bytes: Buffer;
  /** False for one that is cut off: without a newline, or too long to be read on. It is the last. */
  readonly whole: boolean;
}

/** Splits bytes into lines, which may be 16 MiB long. */
export async function* linesOf(chunks: AsyncIterable<Uint8Array>): AsyncGenerator<Line, void, undefined> {
  let rest: Buffer[] = [];
  let restBytes = 0;
  for await (const chunk of chunks) {
    const buffer = Buffer.from(chunk.buffer, chunk.byteOffset, chunk.byteLength);
    let start = 0;
    for (let end = buffer.indexOf(NEWLINE); end >= 0; end = buffer.indexOf(NEWLINE, start)) {
      const tail = buffer.subarray(start, end + 1);
      yield { bytes: restBytes === 0 ? tail : Buffer.concat([...rest, tail]), whole: true };
      rest = [];
      restBytes = 0;
      start = end + 1;
    }
    if (start < buffer.length) {
      rest.push(buffer.subarray(start));
      restBytes += buffer.length - start;
    }
    if (restBytes > MAX_LINE_BYTES) break;
  }
  if (restBytes > 0) yield { bytes: Buffer.concat(rest), whole: false };
}

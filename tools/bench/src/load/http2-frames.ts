// The little of HTTP/2 (RFC 9113) and HPACK (RFC 7541) that a load generator needs. A general client costs as much CPU
// for a request as the server under test, on the same cores, and would be what is measured; this one costs a tenth.

/** The frame types that occur (RFC 9113, section 6). */
export const FRAME = {
  data: 0,
  headers: 1,
  rstStream: 3,
  settings: 4,
  ping: 6,
  goAway: 7,
  windowUpdate: 8,
  continuation: 9,
} as const;

/** The flags that matter: ACK has the same bit as END_STREAM. */
export const FLAG = { endStream: 0x1, ack: 0x1, endHeaders: 0x4, padded: 0x8 } as const;

/** Length, type, flags, stream. */
export const FRAME_HEADER_BYTES = 9;

/** The window that every connection and stream begins with. */
export const INITIAL_WINDOW_BYTES = 65_535;

/** The largest window there is: one that never has to be opened again within a round. */
export const MAX_WINDOW_BYTES = 0x7fff_ffff;

/** The largest frame that an endpoint takes unasked. */
export const MAX_FRAME_BYTES = 16_384;

/** One frame. */
export function frame(of: { type: number; flags?: number; stream?: number; payload: Uint8Array }): Buffer {
  const bytes = Buffer.alloc(FRAME_HEADER_BYTES + of.payload.length);
  bytes.writeUIntBE(of.payload.length, 0, 3);
  bytes.writeUInt8(of.type, 3);
  bytes.writeUInt8(of.flags ?? 0, 4);
  bytes.writeUInt32BE(of.stream ?? 0, 5);
  bytes.set(of.payload, FRAME_HEADER_BYTES);
  return bytes;
}

const PREFACE = Buffer.from('PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n', 'latin1');
const SETTING = { headerTableSize: 1, enablePush: 2, maxConcurrentStreams: 3, initialWindowSize: 4 } as const;

/**
 * The connection preface of a client (RFC 9113, section 3.4): windows that stay open, and no table of headers, so that a
 * header looks the same in every answer (see {@link isGrpcOk}).
 */
export function connectionPreface(): Buffer {
  const settings = Buffer.alloc(18);
  const values = [
    [SETTING.headerTableSize, 0],
    [SETTING.enablePush, 0],
    [SETTING.initialWindowSize, MAX_WINDOW_BYTES],
  ] as const;
  values.forEach(([setting, value], index) => {
    settings.writeUInt16BE(setting, index * 6);
    settings.writeUInt32BE(value, index * 6 + 2);
  });
  return Buffer.concat([
    PREFACE,
    frame({ type: FRAME.settings, payload: settings }),
    windowUpdate(MAX_WINDOW_BYTES - INITIAL_WINDOW_BYTES),
  ]);
}

/** Opens the connection's window by so many bytes. */
export function windowUpdate(bytes: number): Buffer {
  const payload = Buffer.alloc(4);
  payload.writeUInt32BE(bytes);
  return frame({ type: FRAME.windowUpdate, payload });
}

/** The request headers of a gRPC call in plain text, as an HPACK block that needs no table (RFC 7541, 6.2.2). */
export function grpcRequestHeaders({
  authority,
  path,
  timeoutMs,
}: {
  authority: string;
  path: string;
  /** Sent as `grpc-timeout`; none when left out. */
  timeoutMs?: number;
}): Buffer {
  const indexed = Buffer.from([0x83, 0x86]); // :method POST, :scheme http
  return Buffer.concat([
    indexed,
    Buffer.from([0x04]), // :path
    headerText(path),
    Buffer.from([0x01]), // :authority
    headerText(authority),
    Buffer.from([0x0f, 0x10]), // content-type
    headerText('application/grpc'),
    Buffer.from([0x00]),
    headerText('te'),
    headerText('trailers'),
    ...(timeoutMs === undefined
      ? []
      : [Buffer.from([0x00]), headerText('grpc-timeout'), headerText(`${timeoutMs}m`)]),
  ]);
}

function headerText(text: string): Buffer {
  const bytes = Buffer.from(text, 'latin1');
  // Longer ones need a length of several bytes.
  if (bytes.length >= 127) throw new RangeError('a header of a load request is longer than 126 bytes');
  return Buffer.concat([Buffer.from([bytes.length]), bytes]);
}

/** `grpc-status` in the Huffman code of RFC 7541: what nghttp2 writes without a table. */
const GRPC_STATUS = Buffer.from('889acac8b21234da8f', 'hex');

/** `grpc-status` and `0` as one plain byte. */
const GRPC_STATUS_OK = Buffer.concat([GRPC_STATUS, Buffer.from('\x010', 'latin1')]);

/** Checks if a block of trailers has status OK. An unknown form counts as a failure. */
export function isGrpcOk(trailers: Buffer): boolean {
  return trailers.includes(GRPC_STATUS_OK);
}

/** The status in a block of trailers, whose digits nghttp2 leaves plain; `undefined` in a form that it does not know. */
export function grpcStatusOf(trailers: Buffer): number | undefined {
  const at = trailers.indexOf(GRPC_STATUS);
  if (at < 0) return undefined;
  const digits = at + GRPC_STATUS.length + 1;
  const text = trailers.toString('latin1', digits, digits + (trailers[digits - 1] ?? 0));
  return /^\d{1,2}$/.test(text) ? Number(text) : undefined;
}

/** Reads the limit on concurrent streams from SETTINGS; undefined if they have none. */
export function maxConcurrentStreamsOf(settings: Buffer): number | undefined {
  for (let at = 0; at + 6 <= settings.length; at += 6) {
    if (settings.readUInt16BE(at) === SETTING.maxConcurrentStreams) return settings.readUInt32BE(at + 2);
  }
  return undefined;
}

/** A gRPC message with its prefix: not compressed, length. */
export function grpcMessage(message: Uint8Array): Buffer {
  const prefix = Buffer.alloc(5);
  prefix.writeUInt32BE(message.length, 1);
  return Buffer.concat([prefix, message]);
}

import { connect, type Socket } from 'node:net';

// What a peer that keeps to no rule sends: frames of HTTP/2 (RFC 9113) as bytes, with no library that would keep to them.

/** The frame types that occur. */
export const FRAME = { data: 0, headers: 1, rstStream: 3, settings: 4, ping: 6, windowUpdate: 8 } as const;
/** The flags that occur: ACK has the same bit as END_STREAM. */
export const FLAG = { endStream: 1, ack: 1, endHeaders: 4 } as const;

const FRAME_HEADER_BYTES = 9;
const NOTHING = Buffer.alloc(0);

/** One frame. */
export function frame(type: number, flags: number, stream: number, payload: Buffer = NOTHING): Buffer {
  const header = Buffer.alloc(FRAME_HEADER_BYTES);
  header.writeUIntBE(payload.length, 0, 3);
  header.writeUInt8(type, 3);
  header.writeUInt8(flags, 4);
  header.writeUInt32BE(stream, 5);
  return Buffer.concat([header, payload]);
}

const PREFACE = Buffer.from('PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n', 'latin1');
/** Settings and the connection's window: as much may be on its way as there are bytes, whether it is read or not. */
const WIDE_OPEN = Buffer.concat([
  frame(FRAME.settings, 0, 0, Buffer.from([0x00, 0x04, 0x7f, 0xff, 0xff, 0xff])),
  frame(FRAME.windowUpdate, 0, 0, Buffer.from([0x7f, 0xff, 0x00, 0x00])),
]);
const CANCEL = Buffer.from([0, 0, 0, 8]);

/** A text of HPACK, shorter than 127 bytes, as it is. */
const text = (value: string) => Buffer.concat([Buffer.from([value.length]), Buffer.from(value, 'latin1')]);

/** The frames of a whole gRPC call with an encoded message. */
export function call(path: string, message: Buffer): (stream: number) => Buffer {
  const headers = Buffer.concat([
    Buffer.from([0x83, 0x86, 0x04]), // :method POST, :scheme http, :path
    text(path),
    Buffer.from([0x01]), // :authority
    text('localhost'),
    Buffer.from([0x0f, 0x10]), // content-type
    text('application/grpc'),
    Buffer.from([0x00]),
    text('te'),
    text('trailers'),
  ]);
  const prefix = Buffer.alloc(5);
  prefix.writeUInt32BE(message.length, 1);
  const data = Buffer.concat([prefix, message]);
  return (stream) =>
    Buffer.concat([
      frame(FRAME.headers, FLAG.endHeaders, stream, headers),
      frame(FRAME.data, FLAG.endStream, stream, data),
    ]);
}

/** The frame that takes a call back. */
export const cancellation = (stream: number) => frame(FRAME.rstStream, 0, stream, CANCEL);

/** A connection that is greeted and kept alive, with open windows; `onFrame` is told of what comes for calls. */
export async function greet(
  address: string,
  options: { localAddress: string; onFrame?: (type: number, flags: number, stream: number) => void },
): Promise<Socket> {
  const [host = '', port] = address.split(':');
  const socket = connect({ host, port: Number(port), localAddress: options.localAddress, noDelay: true });
  await new Promise<void>((resolve, reject) => {
    socket.once('connect', resolve).once('error', reject);
  });
  socket.on('error', () => undefined);
  let rest: Buffer = NOTHING;
  socket.on('data', (chunk: Buffer) => {
    let bytes = rest.length === 0 ? chunk : Buffer.concat([rest, chunk]);
    for (let size = sizeOf(bytes); size <= bytes.length; size = sizeOf(bytes)) {
      answer(bytes.subarray(0, size));
      bytes = bytes.subarray(size);
    }
    rest = bytes;
  });
  const answer = (received: Buffer) => {
    const [type = 0, flags = 0] = received.subarray(3);
    const stream = received.readUInt32BE(5);
    if (stream > 0) options.onFrame?.(type, flags, stream);
    if (flags & FLAG.ack || (type !== FRAME.settings && type !== FRAME.ping)) return;
    const payload = type === FRAME.ping ? received.subarray(FRAME_HEADER_BYTES) : NOTHING;
    socket.write(frame(type, FLAG.ack, 0, payload));
  };
  socket.write(Buffer.concat([PREFACE, WIDE_OPEN]));
  return socket;
}

/** Bytes of the frame at the start; more than there are while its header is not whole. */
function sizeOf(bytes: Buffer): number {
  return bytes.length < FRAME_HEADER_BYTES ? Infinity : FRAME_HEADER_BYTES + bytes.readUIntBE(0, 3);
}

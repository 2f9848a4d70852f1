import { argv } from 'node:process';
import { FLAG, FRAME, frame, RequestFrames } from '@callpass/bench';
import { ReconnectingSocket } from './reconnecting-socket.ts';

// A flood of frames that are no calls: `node flood.ts ADDRESS KIND SECONDS SOURCE`. Sends as many as the connection takes, and goes
// on with the next connection when one is lost. Reports to its parent what it has sent. By hand
// only: what a flood may cost a neighbour has no bound that a busy machine keeps.

const [, , address = '', kind = '', seconds = '0', localAddress = ''] = argv;
const TICK_MS = 2;
const BYTES_IN_A_TICK = 64 * 1024;

const request = new RequestFrames({
  address,
  path: '/callpass.v1.CredentialService/IssueCredentials',
  message: Buffer.from([0x0a, 0x01, 0x64]), // destination d
});
/** Headers of a call without the end of its header block, and without the end of its request. */
const headersOnly = (stream: number, flags: number) => {
  const whole = request.on(stream);
  const end = 9 + whole.readUIntBE(0, 3);
  const head = Buffer.from(whole.subarray(0, end));
  head[4] = flags;
  return head;
};
const value = (bytes: number) => {
  const payload = Buffer.alloc(4);
  payload.writeUInt32BE(bytes);
  return payload;
};

interface Flood {
  /** Sent once at the beginning of a connection. */
  readonly first?: Buffer;
  /** Sent again and again; with the number of the next stream. */
  readonly next: (stream: number) => Buffer;
}

const SETTING = Buffer.from([0, 4, 0, 0, 0xff, 0xff]);
const FLOODS: Readonly<Record<string, Flood>> = {
  settings: { next: () => frame({ type: FRAME.settings, payload: SETTING }) },
  'settings-ack': { next: () => frame({ type: FRAME.settings, flags: FLAG.ack, payload: Buffer.alloc(0) }) },
  ping: { next: () => frame({ type: FRAME.ping, payload: Buffer.alloc(8) }) },
  'window-update': { next: () => frame({ type: FRAME.windowUpdate, payload: value(1) }) },
  priority: { next: (stream) => frame({ type: 2, stream, payload: Buffer.alloc(5) }) },
  unknown: { next: () => frame({ type: 0xfa, payload: Buffer.alloc(100) }) },
  continuation: {
    first: headersOnly(1, 0),
    // A header that is in no table, literally and never to be indexed.
    next: () =>
      frame({
        type: FRAME.continuation,
        stream: 1,
        payload: Buffer.concat([Buffer.from([0x10, 1, 0x61, 0x7e]), Buffer.alloc(126, 0x62)]),
      }),
  },
  'empty-continuation': {
    first: headersOnly(1, 0),
    next: () => frame({ type: FRAME.continuation, stream: 1, payload: Buffer.alloc(0) }),
  },
  'empty-data': {
    first: headersOnly(1, FLAG.endHeaders),
    next: () => frame({ type: FRAME.data, stream: 1, payload: Buffer.alloc(0) }),
  },
  open: { next: (stream) => headersOnly(stream, FLAG.endHeaders) },
  'reset-stream': {
    next: (stream) =>
      Buffer.concat([request.on(stream), frame({ type: FRAME.rstStream, stream, payload: value(8) })]),
  },
};
const flood = FLOODS[kind];
if (flood === undefined) throw new Error(`no flood is named ${kind}`);

let sentBytes = 0;
let stream = 3;
const connection = new ReconnectingSocket({
  ...{ address, localAddress, retryMs: TICK_MS },
  onOpen: (socket) => {
    stream = 3;
    if (flood.first) socket.write(flood.first);
  },
});

await connection.open();
const end = performance.now() + Number(seconds) * 1000;
const timer = setInterval(() => {
  if (performance.now() > end) {
    clearInterval(timer);
    const { connections, refused } = connection;
    process.send?.({ sentBytes, connections, refused, done: true }, () => process.exit());
    return;
  }
  const frames: Buffer[] = [];
  for (let bytes = 0; connection.socket && bytes < BYTES_IN_A_TICK; stream += 2) {
    const next = flood.next(stream);
    frames.push(next);
    bytes += next.length;
  }
  const bytes = Buffer.concat(frames);
  sentBytes += bytes.length;
  connection.socket?.write(bytes);
}, TICK_MS);

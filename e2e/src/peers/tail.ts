import { argv } from 'node:process';
import { FRAME, FrameSocket, RequestFrames } from '@callpass/bench';

// Reads the ledger as it is written, many times over on one connection, and would have any amount of it on its way:
// `node tail.ts ADDRESS STREAMS SOURCE`. Reports to its parent when all have begun.

const [, , address = '', streams = '0', localAddress = ''] = argv;
const tail = new RequestFrames({
  address,
  path: '/callpass.v1.LedgerService/TailEntries',
  message: Buffer.alloc(0),
});
const begun = new Set<number>();

const socket = await FrameSocket.open(address, { localAddress });
socket.start({
  onStreamFrame({ type, stream }) {
    if (type !== FRAME.data || begun.size === Number(streams)) return;
    begun.add(stream);
    if (begun.size === Number(streams)) process.send?.({ done: true });
  },
  onGoAway: () => undefined,
  onLost: () => undefined,
});
for (let count = 0; count < Number(streams); count++) socket.write(tail.on(2 * count + 1));

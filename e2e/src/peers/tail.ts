import { argv } from 'node:process';
import { call, FRAME, greet } from './raw-http2.ts';

// Reads the ledger as it is written, many times over on one connection, and would have any amount of it on its way:
// `node tail.ts ADDRESS STREAMS SOURCE`. Tells its parent when all have begun.

const [, , address = '', streams = '0', localAddress = ''] = argv;
const tail = call('/callpass.v1.LedgerService/TailEntries', Buffer.alloc(0));
const begun = new Set<number>();

const socket = await greet(address, {
  localAddress,
  onFrame(type, _flags, stream) {
    if (type !== FRAME.data || begun.size === Number(streams)) return;
    begun.add(stream);
    if (begun.size === Number(streams)) process.send?.({ done: true });
  },
});
for (let count = 0; count < Number(streams); count++) socket.write(tail(2 * count + 1));

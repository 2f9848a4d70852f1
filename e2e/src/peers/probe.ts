import { argv } from 'node:process';
import { FLAG, FRAME, FrameSocket, RequestFrames } from '@callpass/bench';

// Health probes, each on a connection of its own: `node probe.ts ADDRESS COUNT (close | hold) SOURCE…`. The sources are the
// addresses it comes from in turn. Reports to its parent how many were answered and how many were not.

const [, , address = '', count = '0', after, ...sources] = argv;
const CONCURRENCY = 48;
const GIVE_UP_MS = 20_000;
const check = new RequestFrames({
  address,
  path: '/grpc.health.v1.Health/Check',
  message: Buffer.alloc(0),
}).on(1);
const held: FrameSocket[] = [];
const outcome = { begun: 0, answered: 0, refused: 0 };

async function probe(localAddress: string): Promise<boolean> {
  const answer = Promise.withResolvers<boolean>();
  const timer = setTimeout(answer.resolve, GIVE_UP_MS, false);
  const socket = await FrameSocket.open(address, { localAddress });
  socket.start({
    onStreamFrame: ({ type, flags }) => {
      if (type === FRAME.headers && flags & FLAG.endStream) answer.resolve(true);
    },
    // Held until the server closes it, whatever it was told.
    onGoAway: () => undefined,
    onLost: () => answer.resolve(false),
  });
  socket.write(check);
  const isAnswered = await answer.promise;
  clearTimeout(timer);
  if (after === 'hold') held.push(socket);
  else socket.close();
  return isAnswered;
}

async function work(): Promise<void> {
  while (outcome.begun < Number(count)) {
    const source = sources[outcome.begun++ % sources.length] as string;
    if (await probe(source).catch(() => false)) outcome.answered++;
    else outcome.refused++;
    if ((outcome.answered + outcome.refused) % 1000 === 0) process.send?.(outcome);
  }
}

await Promise.all(Array.from({ length: CONCURRENCY }, work));
process.send?.({ ...outcome, done: true });
if (after !== 'hold') process.disconnect();

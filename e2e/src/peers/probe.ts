import { argv } from 'node:process';
import type { Socket } from 'node:net';
import { call, FLAG, FRAME, greet } from './raw-http2.ts';

// Health probes, each on a connection of its own: `node probe.ts ADDRESS COUNT (close | hold) SOURCE…`. The sources are the
// addresses it comes from in turn. Tells its parent how many were answered and how many were not.

const [, , address = '', count = '0', after, ...sources] = argv;
const CONCURRENCY = 48;
const GIVE_UP_MS = 20_000;
const check = call('/grpc.health.v1.Health/Check', Buffer.alloc(0))(1);
const held: Socket[] = [];
const outcome = { begun: 0, answered: 0, refused: 0 };

async function probe(localAddress: string): Promise<boolean> {
  const answer = Promise.withResolvers<boolean>();
  const timer = setTimeout(answer.resolve, GIVE_UP_MS, false);
  const socket = await greet(address, {
    localAddress,
    onFrame: (type, flags) => {
      if (type === FRAME.headers && flags & FLAG.endStream) answer.resolve(true);
    },
  });
  socket.once('close', () => {
    answer.resolve(false);
  });
  socket.write(check);
  const isAnswered = await answer.promise;
  clearTimeout(timer);
  if (after === 'hold') held.push(socket);
  else socket.destroy();
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

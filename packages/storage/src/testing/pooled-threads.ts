import type { Worker } from 'node:worker_threads';
import { startThread as startAnother } from '../thread/threads.ts';

/**
 * The store's threads in Jest, in place of `thread/threads.ts`. A thread whose store is closed opens the next one. It would
 * load its program again otherwise, for half a second and for each of hundreds of tests.
 */
const idle: Worker[] = [];

/** A thread without a store. The heap of one that was used before has V8's own bounds. */
export function startThread(): Worker {
  const worker = idle.pop() ?? startAnother();
  worker.ref();
  return worker;
}

/** Keeps a thread whose store is closed. It does not keep the process. */
export async function endThread(worker: Worker): Promise<void> {
  // Those of the link only: Node has others of its own on it.
  for (const event of ['message', 'error', 'exit']) worker.removeAllListeners(event);
  const hasExited = worker.threadId === -1;
  if (hasExited) return;
  worker.unref();
  idle.push(worker);
}

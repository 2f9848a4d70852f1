import { fileURLToPath } from 'node:url';
import { Worker } from 'node:worker_threads';

/** Starts a thread that runs the store's program. */
export function startThread(): Worker {
  // The thread runs the same kind of files as this one: sources unbuilt, or what was built from them.
  const fromSource = import.meta.url.endsWith('.ts');
  const file = new URL(fromSource ? './store-thread.ts' : './store-thread.js', import.meta.url);
  return new Worker(fileURLToPath(file), { execArgv: fromSource ? ['--conditions=@callpass/source'] : [] });
}

/** Ends a thread whose store is closed. */
export async function endThread(worker: Worker): Promise<void> {
  await worker.terminate();
}

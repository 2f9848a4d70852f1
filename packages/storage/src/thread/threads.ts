import { fileURLToPath } from 'node:url';
import { Worker, type ResourceLimits } from 'node:worker_threads';

/** Starts a thread that runs the store's program. @param memory bounds on its heap; one that needs more ends */
export function startThread(memory: ResourceLimits = {}): Worker {
  // The thread runs the same kind of files as this one: sources unbuilt, or what was built from them.
  const fromSource = import.meta.url.endsWith('.ts');
  const file = new URL(fromSource ? './store-thread.ts' : './store-thread.js', import.meta.url);
  const execArgv = fromSource ? ['--conditions=@callpass/source'] : [];
  return new Worker(fileURLToPath(file), { execArgv, resourceLimits: memory });
}

/** Ends a thread whose store is closed. */
export async function endThread(worker: Worker): Promise<void> {
  await worker.terminate();
}

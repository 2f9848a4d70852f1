import { parentPort, workerData } from 'node:worker_threads';
import type { StoredState } from '@callpass/domain';
import { StoreEngine } from '../engine.ts';
import { openDatabase } from '../open-database.ts';
import { Sealer } from '../seal/sealer.ts';
import { toWireError, type ThreadMessage, type ThreadRequest, type ThreadStart } from './messages.ts';

/** The program of the store's thread: opens the store, then answers one message with one reply. */
const port = parentPort;
if (port === null) throw new Error('this file runs as a worker thread');
const tell = (message: ThreadMessage) => port.postMessage(message);

try {
  const start = workerData as ThreadStart;
  const sealer = new Sealer(start.sealKey);
  start.sealKey.fill(0);
  const database = await openDatabase(start.url, { limits: start.limits, create: false });
  const engine = await StoreEngine.open({ database, sealer, writerId: start.writerId }).catch(
    async (error: unknown) => {
      await database.close();
      throw error;
    },
  );
  port.on('message', (request: ThreadRequest) => void answer(engine, request));
  database.listen?.(() => tell({ kind: 'stateChanged' }));
  tell({ kind: 'opened', ledgerSecret: engine.ledgerSecret });
} catch (error) {
  tell({ kind: 'failed', error: toWireError(error, 'STORE_UNAVAILABLE') });
}

async function answer(engine: StoreEngine, { id, method, argument }: ThreadRequest): Promise<void> {
  try {
    const value = await engine[method](argument as never);
    tell({ kind: 'reply', id, value });
    if (method === 'loadState') wipeKeys(value as StoredState);
    if (method === 'close') port?.close();
  } catch (error) {
    tell({
      kind: 'error',
      id,
      error: toWireError(error, method === 'commit' ? 'LEDGER_UNAVAILABLE' : 'STORE_UNAVAILABLE'),
    });
  }
}

function wipeKeys(state: StoredState): void {
  for (const key of state.keys) key.keyText?.fill(0);
}

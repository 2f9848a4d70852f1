import { parentPort } from 'node:worker_threads';
import type { StoredState } from '@callpass/domain';
import { StoreEngine } from '../engine.ts';
import { openDatabase } from '../open-database.ts';
import { migrateStoreAt } from '../schema/migrate-store.ts';
import { Sealer } from '../seal/sealer.ts';
import {
  toWireError,
  type OpenedStore,
  type ThreadMessage,
  type ThreadRequest,
  type ThreadStart,
} from './messages.ts';

/** The program of the store's thread: opens a store, then answers one message with one reply until it is closed. */
const port = parentPort;
if (port === null) throw new Error('this file runs as a worker thread');
// Node would write them past the log of the process.
process.removeAllListeners('warning');
process.on('warning', ({ name, message }) => {
  process.stderr.write(`${name}: ${message}\n`);
});

const tell = (message: ThreadMessage) => port.postMessage(message);
let engine: StoreEngine;
port.on('message', (request: ThreadRequest) => void answer(request));

async function answer({ id, method, argument }: ThreadRequest): Promise<void> {
  try {
    const value =
      method === 'open' ? await open(argument as ThreadStart) : await engine[method](argument as never);
    tell({ kind: 'reply', id, value });
    if (method === 'loadState') wipeKeys(value as StoredState);
  } catch (error) {
    tell({
      kind: 'error',
      id,
      error: toWireError(error, method),
    });
  }
}

async function open(start: ThreadStart): Promise<OpenedStore> {
  const sealer = new Sealer(start.sealKey);
  start.sealKey.fill(0);
  if (start.migrate) {
    // Told at once: what was done stays done where the store cannot be opened after it.
    tell({ kind: 'migrated', migrated: await migrateStoreAt(start.url, sealer, { create: true }) });
  }
  const database = await openDatabase(start.url, { limits: start.limits, create: false });
  engine = await StoreEngine.open({ database, sealer, writerId: start.writerId }).catch(
    async (error: unknown) => {
      await database.close();
      throw error;
    },
  );
  database.listen?.(() => tell({ kind: 'stateChanged' }));
  return { ledgerSecret: engine.ledgerSecret, announces: database.listen !== undefined };
}

function wipeKeys(state: StoredState): void {
  for (const key of state.keys) key.keyText?.fill(0);
}

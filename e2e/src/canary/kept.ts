import { startOtlpReceiver, type OtlpReceiver } from '@callpass/otlp-receiver';
import type { PostgresServer, TestDatabase } from '@callpass/testkit/postgres-server';
import { keep } from './keep.ts';

/** A receiver of telemetry of which everything that it gets is kept for the scan at the end of the run. */
export async function keptReceiver(): Promise<OtlpReceiver> {
  const receiver = await startOtlpReceiver();
  const keepReceived = () => {
    for (const body of receiver.raw()) keep('telemetry.txt', `${body}\n`);
  };
  return {
    ...receiver,
    clear() {
      keepReceived();
      receiver.clear();
    },
    async close() {
      await receiver.close();
      keepReceived();
    },
  };
}

/** A database of which every byte is kept for the scan at the end of the run. */
export async function keptDatabase(server: PostgresServer): Promise<TestDatabase> {
  const database = await server.freshDatabase();
  return {
    ...database,
    async remove() {
      keep('postgres.dump', await database.dump());
      await database.remove();
    },
  };
}

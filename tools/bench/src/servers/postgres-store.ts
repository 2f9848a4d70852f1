import { ownPostgresServer } from '@callpass/testkit/postgres-server';

/** Starts a PostgreSQL server that waits for its disk, with an empty database for one store. */
export async function startPostgresStore(): Promise<{ readonly storeUrl: string; stop(): Promise<void> }> {
  const postgres = await ownPostgresServer({ durable: true });
  const { url } = await postgres.freshDatabase();
  return { storeUrl: url, stop: () => postgres.remove() };
}

import { randomBytes } from 'node:crypto';
import type { PostgresServer } from '@callpass/testkit/postgres-server';
import { keptDatabase } from './canary/kept.ts';

/** A database on PostgreSQL that several servers share. */
export interface SharedStore<Server extends PostgresServer> {
  readonly postgres: Server;
  /** The environment with which each server on it is started. */
  readonly environment: Readonly<Record<string, string>>;
  /** Removes database and PostgreSQL. Servers on it have ended before. */
  remove(): Promise<void>;
}

/** Makes a store for several servers. `environment` is for all of them; without it they log errors only. */
export async function sharedStore<Server extends PostgresServer>(
  postgres: Server,
  environment: Readonly<Record<string, string>> = {},
): Promise<SharedStore<Server>> {
  const database = await keptDatabase(postgres);
  return {
    postgres,
    environment: {
      CALLPASS_STORE_URL: database.url,
      CALLPASS_KEY_ENCRYPTION_KEY: randomBytes(32).toString('base64'),
      CALLPASS_LOG_LEVEL: 'error',
      ...environment,
    },
    async remove() {
      await database.remove();
      await postgres.remove();
    },
  };
}

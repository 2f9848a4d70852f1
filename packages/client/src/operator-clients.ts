import { AdminService, LedgerService } from '@callpass/contract';
import { Health } from '@callpass/rpc-protos/gen/grpc/health/v1/health_pb.js';
import { createServiceClient, type ServiceClient } from './calls/service-client.ts';
import type { Connection, ConnectOptions } from './connection/connect.ts';

/** Functions for the RPCs of AdminService. Reads are retried, except the stream of ReplayConfiguration; changes never. */
export type AdminClient = ServiceClient<typeof AdminService>;

/** Functions for the RPCs of LedgerService. Reads are retried, except the streams of TailEntries and SummarizeEntries; removals never. */
export type LedgerClient = ServiceClient<typeof LedgerService>;

/** Functions for the RPCs of grpc.health.v1. Never retried. */
export type HealthClient = ServiceClient<typeof Health>;

/**
 * Creates a client of AdminService, on its own connection or on a shared one from {@link connect}.
 *
 * @example
 * ```ts
 * const admin = createAdminClient({ address: '127.0.0.1:50051' });
 * const { realmKeys } = await admin.listRealmKeys({ realm: 'support.example' });
 * ```
 */
export function createAdminClient(target: Connection | ConnectOptions): AdminClient {
  return createServiceClient(AdminService, target);
}

/**
 * Creates a client of LedgerService, on its own connection or on a shared one from {@link connect}.
 *
 * @example
 * ```ts
 * const ledger = createLedgerClient({ address: '127.0.0.1:50051' });
 * for await (const { entry } of ledger.tailEntries({ destination: 'support' })) console.log(entry?.time);
 * ```
 */
export function createLedgerClient(target: Connection | ConnectOptions): LedgerClient {
  return createServiceClient(LedgerService, target);
}

/**
 * Creates a client of grpc.health.v1, on its own connection or on a shared one from {@link connect}.
 *
 * @example
 * ```ts
 * const health = createHealthClient({ address: '127.0.0.1:50051' });
 * const { status } = await health.check({ service: 'callpass.v1.CredentialService' });
 * ```
 */
export function createHealthClient(target: Connection | ConnectOptions): HealthClient {
  return createServiceClient(Health, target);
}

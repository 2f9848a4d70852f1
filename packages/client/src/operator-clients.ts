import { AdminService, LedgerService } from '@callpass/contract';
import { Health } from '@callpass/rpc-protos/gen/grpc/health/v1/health_pb.js';
import { createServiceClient, type ServiceClient } from './calls/service-client.ts';
import { connectTo, type Connection, type ConnectOptions } from './connection/connect.ts';
import { createFollowEntries, type FollowEntries } from './ledger/follow-entries.ts';

/** Functions for the RPCs of AdminService. Reads are retried, except the stream of ReplayConfiguration; changes never. */
export type AdminClient = ServiceClient<typeof AdminService>;

/** Functions for the RPCs of LedgerService. Reads are retried, except the streams of TailEntries and SummarizeEntries; removals never. */
export interface LedgerClient extends ServiceClient<typeof LedgerService> {
  /**
   * Yields entries as they are written, as `tailEntries` does, and goes on where it was when the stream is interrupted, by a
   * restart of the server or a renewed certificate: no entry is lost or comes twice. Fails with the error of the stream where
   * it is refused, and where there is none for a minute, or for 5 s if the client is not recognised. Ends where the service ends
   * a stream without having said where it is.
   *
   * @example
   * ```ts
   * for await (const entry of ledger.followEntries({ destination: 'support' })) console.log(entry.issuanceId);
   * ```
   */
  readonly followEntries: FollowEntries;
}

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
  const { connection, close } = connectTo(target);
  const client = createServiceClient(LedgerService, connection);
  return {
    ...client,
    followEntries: createFollowEntries(client, connection),
    close,
  };
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

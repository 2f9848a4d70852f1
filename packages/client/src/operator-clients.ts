import { AdminService, LedgerService } from '@callpass/contract';
import { Health } from '@callpass/rpc-protos/gen/grpc/health/v1/health_pb.js';
import { createServiceClient, type ServiceClient } from './calls/service-client.ts';
import type { Connection, ConnectOptions } from './connection/connect.ts';

/** A function for each RPC of AdminService. Reads are retried, changes never. */
export type AdminClient = ServiceClient<typeof AdminService>;

/** A function for each RPC of LedgerService. Reads are retried, but not the stream of TailEntries; removals never. */
export type LedgerClient = ServiceClient<typeof LedgerService>;

/** A function for each RPC of grpc.health.v1. Never retried. */
export type HealthClient = ServiceClient<typeof Health>;

/** A client of AdminService, on a connection of its own or on a shared one from `connect`. */
export function createAdminClient(target: Connection | ConnectOptions): AdminClient {
  return createServiceClient(AdminService, target);
}

/** A client of LedgerService, on a connection of its own or on a shared one from `connect`. */
export function createLedgerClient(target: Connection | ConnectOptions): LedgerClient {
  return createServiceClient(LedgerService, target);
}

/** A client of grpc.health.v1, on a connection of its own or on a shared one from `connect`. */
export function createHealthClient(target: Connection | ConnectOptions): HealthClient {
  return createServiceClient(Health, target);
}

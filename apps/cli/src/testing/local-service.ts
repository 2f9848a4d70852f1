import { AdminService, CredentialService, LedgerService } from '@callpass/contract';
import {
  addService,
  createHealth,
  detail,
  type ErrorCode,
  type Handlers,
  type HealthReporter,
  RpcError,
  type RpcErrorDetail,
} from '@callpass/grpc-kit';
import { ErrorInfoSchema } from '@callpass/rpc-protos/gen/google/rpc/error_details_pb.js';
import { Server, ServerCredentials, status } from '@grpc/grpc-js';

/** Answers of the service in a spec; all else is UNIMPLEMENTED. */
export interface Answers {
  readonly credentials?: Partial<Handlers<typeof CredentialService>>;
  readonly admin?: Partial<Handlers<typeof AdminService>>;
  readonly ledger?: Partial<Handlers<typeof LedgerService>>;
}

/** The services that the command line speaks to, on a free port of the loopback. */
export interface LocalService {
  readonly address: string;
  readonly health: HealthReporter;
  stop(): void;
}

const unanswered = (): never => {
  throw new RpcError(status.UNIMPLEMENTED, 'not part of this test');
};

/** Starts them. The handlers may change as long as the object stays the same. */
export async function startLocalService({
  credentials = {},
  admin = {},
  ledger = {},
}: Answers): Promise<LocalService> {
  const server = new Server();
  addService(server, CredentialService, withAll(CredentialService.method, credentials));
  addService(server, AdminService, withAll(AdminService.method, admin));
  addService(server, LedgerService, withAll(LedgerService.method, ledger));
  const health = createHealth([CredentialService]);
  health.setAll('SERVING');
  health.addTo(server);
  const port = await new Promise<number>((resolve, reject) => {
    server.bindAsync('127.0.0.1:0', ServerCredentials.createInsecure(), (error, bound) => {
      if (error) reject(error);
      else resolve(bound);
    });
  });
  return { address: `127.0.0.1:${port}`, health, stop: () => server.forceShutdown() };
}

function withAll<H extends object>(methods: object, some: Partial<H>): H {
  return { ...Object.fromEntries(Object.keys(methods).map((name) => [name, unanswered])), ...some } as H;
}

/** A refusal with a reason of the service. */
export function refusal(
  code: ErrorCode,
  reason: string,
  more: { message?: string; metadata?: Record<string, string>; details?: RpcErrorDetail[] } = {},
): RpcError {
  const info = detail(ErrorInfoSchema, { reason, domain: 'callpass', metadata: more.metadata ?? {} });
  return new RpcError(code, more.message ?? `refused: ${reason}`, {
    details: [info, ...(more.details ?? [])],
  });
}

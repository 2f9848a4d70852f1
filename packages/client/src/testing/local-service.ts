import { CredentialService } from '@callpass/contract';
import {
  addService,
  detail,
  type ErrorCode,
  type Handlers,
  RpcError,
  type RpcErrorDetail,
  type ServiceOptions,
} from '@callpass/grpc-kit';
import { ErrorInfoSchema } from '@callpass/rpc-protos/gen/google/rpc/error_details_pb.js';
import { Server, ServerCredentials, status } from '@grpc/grpc-js';
import type { Timing } from '../calls/retries.ts';

export type CredentialHandlers = Handlers<typeof CredentialService>;

/** A CredentialService on a free port of the loopback. */
export interface LocalService {
  readonly address: string;
  stop(): void;
}

const unanswered = () => {
  throw new RpcError(status.UNIMPLEMENTED, 'not part of this test');
};

/** Starts a service with these handlers; other methods answer UNIMPLEMENTED. */
export async function startLocalService(
  handlers: Partial<CredentialHandlers>,
  options: ServiceOptions & { address?: string; credentials?: ServerCredentials } = {},
): Promise<LocalService> {
  const server = new Server();
  const all: CredentialHandlers = {
    issueCredentials: unanswered,
    batchIssueCredentials: unanswered,
    checkIssuing: unanswered,
    validateToken: unanswered,
    validateCredentials: unanswered,
    batchValidateTokens: unanswered,
    batchValidateCredentials: unanswered,
    ...handlers,
  };
  addService(server, CredentialService, all, options);
  const port = await new Promise<number>((resolve, reject) => {
    const credentials = options.credentials ?? ServerCredentials.createInsecure();
    server.bindAsync(options.address ?? '127.0.0.1:0', credentials, (error, bound) => {
      if (error) reject(error);
      else resolve(bound);
    });
  });
  return { address: `127.0.0.1:${port}`, stop: () => server.forceShutdown() };
}

/** An error with a reason of the service. */
export function refusal(code: ErrorCode, reason: string, ...more: RpcErrorDetail[]): RpcError {
  const details = [detail(ErrorInfoSchema, { reason, domain: 'callpass' }), ...more];
  return new RpcError(code, `refused: ${reason}`, { details });
}

/** A clock that stands still but for pauses, which pass at once and are noted. */
export function frozenTiming(random = 1): Timing & { readonly pauses: number[] } {
  let nowMs = 1_700_000_000_000;
  const pauses: number[] = [];
  return {
    pauses,
    now: () => nowMs,
    random: () => random,
    async sleep(ms, signal) {
      signal?.throwIfAborted();
      pauses.push(ms);
      nowMs += ms;
    },
  };
}

/** Returns the error of a rejected promise; throws if it resolves. */
export async function rejectionOf(promise: Promise<unknown>): Promise<unknown> {
  try {
    await promise;
  } catch (error) {
    return error;
  }
  throw new TypeError('expected a rejection');
}

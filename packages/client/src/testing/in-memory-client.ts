import { create, type MessageInitShape } from '@bufbuild/protobuf';
import {
  BatchIssueCredentialsRequestSchema,
  BatchIssueCredentialsResponseSchema,
  IssueCredentialsRequestSchema,
  ValidateCredentialsRequestSchema,
  ValidateTokenRequestSchema,
  type BatchIssueCredentialsRequest,
  type BatchIssueCredentialsResultSchema,
  type IssueCredentialsRequest,
  type ValidateCredentialsRequest,
  type ValidateTokenRequest,
} from '@callpass/contract';
import type { RpcError } from '@callpass/grpc-kit';
import { StatusSchema } from '@callpass/rpc-protos/gen/google/rpc/status_pb.js';
import type { CredentialClient } from '../credentials/credential-client.ts';
import { toCallpassError } from '../errors/from-status.ts';
import { MadeUpIssuer, type MadeUpWorld } from './made-up-issuer.ts';
import { refusalToRpcError, type ScriptedRefusal } from './refusal.ts';

/** What the double makes up; all of it may be left out. */
export interface InMemoryOptions {
  /** Clock, ms since the epoch; the system's by default. */
  readonly nowMs?: () => number;
  /** How long credentials are good for, in ms; 600,000 by default. They are to be refreshed after four fifths. */
  readonly tokenLifetimeMs?: number;
  /** Realm of all destinations but the unrestricted ones; `test.example` by default. */
  readonly realm?: string;
  /** Destinations whose calls carry no tokens; none by default. */
  readonly unrestricted?: readonly string[];
  /** Who is called where a request names nobody; `support@test.example` by default. */
  readonly callee?: string;
  /** The account, and who calls where a request names nobody; `anonymous@test.example` by default. */
  readonly account?: string;
}

/** A call that the double has got. */
export type RecordedCall =
  | { readonly method: 'issueCredentials'; readonly request: IssueCredentialsRequest }
  | { readonly method: 'batchIssueCredentials'; readonly request: BatchIssueCredentialsRequest }
  | { readonly method: 'validateToken'; readonly request: ValidateTokenRequest }
  | { readonly method: 'validateCredentials'; readonly request: ValidateCredentialsRequest };

/** A credential client without a network, for tests of what uses one. */
export interface InMemoryCredentialClient extends CredentialClient {
  /** All calls so far, oldest first, refused ones included. */
  readonly calls: readonly RecordedCall[];
  /** Refuses the next call, or the next item of a batch. Several are used up in order. */
  refuseNext(refusal: ScriptedRefusal): void;
}

const DEFAULTS: MadeUpWorld = {
  nowMs: Date.now,
  tokenLifetimeMs: 600_000,
  realm: 'test.example',
  unrestricted: [],
  callee: 'support@test.example',
  account: 'anonymous@test.example',
};

/**
 * A double of the credential client. It issues made-up credentials for any destination and judges those that it has issued;
 * what the service would check of a request it does not check. A `requestId` that it knows gets the same answer again.
 */
export function createInMemoryCredentialClient(options: InMemoryOptions = {}): InMemoryCredentialClient {
  const issuer = new MadeUpIssuer({ ...DEFAULTS, ...options });
  const calls: RecordedCall[] = [];
  const refusals: RpcError[] = [];

  const answer = async <T>(call: RecordedCall, work: () => T): Promise<T> => {
    calls.push(call);
    const refusal = call.method === 'batchIssueCredentials' ? undefined : refusals.shift();
    if (refusal) throw toCallpassError(refusal);
    return work();
  };
  const batchItem = (
    request: IssueCredentialsRequest,
  ): MessageInitShape<typeof BatchIssueCredentialsResultSchema> => {
    const refusal = refusals.shift();
    if (!refusal) return { result: { case: 'response', value: issuer.issue(request) } };
    const { code, message, details } = refusal;
    return {
      result: { case: 'status', value: create(StatusSchema, { code, message, details: [...details] }) },
    };
  };

  return {
    calls,
    refuseNext: (refusal) => void refusals.push(refusalToRpcError(refusal)),
    issueCredentials(init) {
      const request = create(IssueCredentialsRequestSchema, init);
      return answer({ method: 'issueCredentials', request }, () => issuer.issue(request));
    },
    batchIssueCredentials(init) {
      const request = create(BatchIssueCredentialsRequestSchema, init);
      return answer({ method: 'batchIssueCredentials', request }, () =>
        create(BatchIssueCredentialsResponseSchema, { results: request.requests.map(batchItem) }),
      );
    },
    validateToken(init) {
      const request = create(ValidateTokenRequestSchema, init);
      return answer({ method: 'validateToken', request }, () => issuer.judge(request));
    },
    validateCredentials(init) {
      const request = create(ValidateCredentialsRequestSchema, init);
      return answer({ method: 'validateCredentials', request }, () => issuer.judgeSet(request));
    },
    close() {
      // Holds nothing open.
    },
  };
}

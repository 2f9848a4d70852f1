import { create } from '@bufbuild/protobuf';
import {
  BatchIssueCredentialsRequestSchema,
  BatchIssueCredentialsResponseSchema,
  BatchValidateCredentialsRequestSchema,
  BatchValidateCredentialsResponseSchema,
  BatchValidateTokensRequestSchema,
  BatchValidateTokensResponseSchema,
  CheckIssuingRequestSchema,
  CheckIssuingResponseSchema,
  IssueCredentialsRequestSchema,
  IssueCredentialsResponseSchema,
  ValidateCredentialsRequestSchema,
  ValidateCredentialsResponseSchema,
  ValidateTokenRequestSchema,
  ValidateTokenResponseSchema,
  type BatchIssueCredentialsRequest,
  type BatchValidateCredentialsRequest,
  type BatchValidateTokensRequest,
  type CheckIssuingRequest,
  type IssueCredentialsRequest,
  type ValidateCredentialsRequest,
  type ValidateTokenRequest,
} from '@callpass/contract';
import type { RpcError } from '@callpass/grpc-kit/client';
import { StatusSchema } from '@callpass/rpc-protos/gen/google/rpc/status_pb.js';
import type { CredentialClient } from '../credentials/credential-client.ts';
import { toCallpassError } from '../errors/from-status.ts';
import { withJson } from '../calls/with-json.ts';
import { MadeUpIssuer, type MadeUpWorld } from './made-up-issuer.ts';
import { refusalToRpcError, type ScriptedRefusal } from './refusal.ts';

/** Options of the test double. */
export interface InMemoryOptions {
  /** Clock, ms since the epoch. Default: the system's. */
  readonly nowMs?: () => number;
  /** Lifetime of credentials, in ms. Default: 600,000. The refresh time is after four fifths of it. */
  readonly tokenLifetimeMs?: number;
  /** Realm of all destinations that are not unrestricted. Default: `test.example`. */
  readonly realm?: string;
  /** Destinations with unrestricted calls. Default: none. */
  readonly unrestricted?: readonly string[];
  /** Callee of requests without one. Default: `support@test.example`. */
  readonly callee?: string;
  /** Account, and caller of requests without one. Default: `anonymous@test.example`. */
  readonly account?: string;
}

/** A call that the double has received. */
export type RecordedCall =
  | { readonly method: 'issueCredentials'; readonly request: IssueCredentialsRequest }
  | { readonly method: 'batchIssueCredentials'; readonly request: BatchIssueCredentialsRequest }
  | { readonly method: 'checkIssuing'; readonly request: CheckIssuingRequest }
  | { readonly method: 'validateToken'; readonly request: ValidateTokenRequest }
  | { readonly method: 'validateCredentials'; readonly request: ValidateCredentialsRequest }
  | { readonly method: 'batchValidateTokens'; readonly request: BatchValidateTokensRequest }
  | { readonly method: 'batchValidateCredentials'; readonly request: BatchValidateCredentialsRequest };

/** A credential client without a network, for tests. */
export interface InMemoryCredentialClient extends CredentialClient {
  /** All calls so far, oldest first, including refused ones. */
  readonly calls: readonly RecordedCall[];
  /** Refuses the next call, or the next request of a batch. Several refusals are used in order. */
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
 * Creates a test double of the credential client. It issues made-up credentials for any destination, and validates those that
 * it has issued. It does not check requests. A known `requestId` gets the same response again.
 *
 * @example
 * ```ts
 * const client = createInMemoryCredentialClient({ unrestricted: ['lobby'] });
 * client.refuseNext({ reason: 'LIMIT_EXCEEDED', retryAfterMs: 3_000 });
 * await client.issueCredentials({ destination: 'support' }); // rejects with a CallpassError
 * ```
 */
export function createInMemoryCredentialClient(options: InMemoryOptions = {}): InMemoryCredentialClient {
  const issuer = new MadeUpIssuer({ ...DEFAULTS, ...options });
  const calls: RecordedCall[] = [];
  const refusals: RpcError[] = [];

  const answer = async <T>(call: RecordedCall, work: () => T): Promise<T> => {
    calls.push(call);
    const refusal = call.method.startsWith('batch') ? undefined : refusals.shift();
    if (refusal) throw toCallpassError(refusal);
    return work();
  };
  /** Results of a batch: each request takes the next refusal. */
  const resultsOf = <Request, Response>(
    requests: readonly Request[],
    respond: (request: Request) => Response,
  ) =>
    requests.map((request) => {
      const refusal = refusals.shift();
      if (!refusal) return { result: { case: 'response', value: respond(request) } as const };
      const { code, message, details } = refusal;
      const value = create(StatusSchema, { code, message, details: [...details] });
      return { result: { case: 'status', value } as const };
    });

  return {
    calls,
    refuseNext: (refusal) => void refusals.push(refusalToRpcError(refusal)),
    issueCredentials(init) {
      const request = create(IssueCredentialsRequestSchema, init);
      return answer({ method: 'issueCredentials', request }, () =>
        withJson(IssueCredentialsResponseSchema, { ...issuer.issue(request) }),
      );
    },
    batchIssueCredentials(init) {
      const request = create(BatchIssueCredentialsRequestSchema, init);
      return answer({ method: 'batchIssueCredentials', request }, () =>
        withJson(
          BatchIssueCredentialsResponseSchema,
          create(BatchIssueCredentialsResponseSchema, {
            results: resultsOf(request.requests, (one) => issuer.issue(one)),
          }),
        ),
      );
    },
    checkIssuing(init) {
      const request = create(CheckIssuingRequestSchema, init);
      return answer({ method: 'checkIssuing', request }, () => create(CheckIssuingResponseSchema));
    },
    validateToken(init) {
      const request = create(ValidateTokenRequestSchema, init);
      return answer({ method: 'validateToken', request }, () =>
        withJson(ValidateTokenResponseSchema, issuer.validate(request)),
      );
    },
    validateCredentials(init) {
      const request = create(ValidateCredentialsRequestSchema, init);
      return answer({ method: 'validateCredentials', request }, () =>
        withJson(ValidateCredentialsResponseSchema, issuer.validateSet(request)),
      );
    },
    batchValidateTokens(init) {
      const request = create(BatchValidateTokensRequestSchema, init);
      return answer({ method: 'batchValidateTokens', request }, () =>
        withJson(
          BatchValidateTokensResponseSchema,
          create(BatchValidateTokensResponseSchema, {
            results: resultsOf(request.requests, (one) => issuer.validate(one)),
          }),
        ),
      );
    },
    batchValidateCredentials(init) {
      const request = create(BatchValidateCredentialsRequestSchema, init);
      return answer({ method: 'batchValidateCredentials', request }, () =>
        withJson(
          BatchValidateCredentialsResponseSchema,
          create(BatchValidateCredentialsResponseSchema, {
            results: resultsOf(request.requests, (one) => issuer.validateSet(one)),
          }),
        ),
      );
    },
    close() {
      // Holds nothing open.
    },
  };
}

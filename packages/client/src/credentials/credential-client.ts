import type { MessageInitShape } from '@bufbuild/protobuf';
import {
  CredentialService,
  type BatchIssueCredentialsRequestSchema,
  type BatchIssueCredentialsResponse,
  type BatchValidateCredentialsRequestSchema,
  type BatchValidateCredentialsResponse,
  type BatchValidateTokensRequestSchema,
  type BatchValidateTokensResponse,
  type CheckIssuingRequestSchema,
  type CheckIssuingResponse,
  type IssueCredentialsRequestSchema,
  type IssueCredentialsResponse,
  type ValidateCredentialsRequestSchema,
  type ValidateCredentialsResponse,
  type ValidateTokenRequestSchema,
  type ValidateTokenResponse,
} from '@callpass/contract';
import { coalesceAttempts, type Attempt, type BatchOutcome } from '../calls/coalescer.ts';
import { createServiceClient, type Attempts, type CallOptions } from '../calls/service-client.ts';
import type { Connection, ConnectOptions } from '../connection/connect.ts';
import { errorFromStatus } from '../errors/from-status.ts';
import { unansweredError } from '../errors/of-the-client.ts';
import { assertUsable } from './assert-usable.ts';

/** Issues and validates credentials. Each method rejects with a {@link CallpassError}. */
export interface CredentialClient {
  /**
   * Issues the credentials of one call. Retried and hedged only with a `requestId` (a UUID), because a repetition without one could
   * issue twice. Without one, only grpc-js sends the request again, and only if the service has certainly not seen it.
   * Rejects with code INTERNAL if the response has time-limited credentials without tokens, expiry or refresh time.
   */
  issueCredentials(
    request: MessageInitShape<typeof IssueCredentialsRequestSchema>,
    options?: CallOptions,
  ): Promise<IssueCredentialsResponse>;
  /**
   * Issues the credentials of 1 to 256 calls. The results are in the order of the requests; `errorFromStatus` converts the
   * status of a refused one. Retried only if each request has a `requestId`.
   */
  batchIssueCredentials(
    request: MessageInitShape<typeof BatchIssueCredentialsRequestSchema>,
    options?: CallOptions,
  ): Promise<BatchIssueCredentialsResponse>;
  /**
   * Proves that this client may issue for at least one destination and that the service can, for a readiness probe. Nothing is
   * issued, counted or recorded. Rejects with the reason that an issue would have, such as CLIENT_UNKNOWN or FROZEN.
   */
  checkIssuing(
    request: MessageInitShape<typeof CheckIssuingRequestSchema>,
    options?: CallOptions,
  ): Promise<CheckIssuingResponse>;
  /** Validates one token. A token that is not valid is a response with a verdict, not an error. */
  validateToken(
    request: MessageInitShape<typeof ValidateTokenRequestSchema>,
    options?: CallOptions,
  ): Promise<ValidateTokenResponse>;
  /** Validates the three tokens of a call and checks that they belong together. Tokens that are not valid are no error. */
  validateCredentials(
    request: MessageInitShape<typeof ValidateCredentialsRequestSchema>,
    options?: CallOptions,
  ): Promise<ValidateCredentialsResponse>;
  /**
   * Validates 1 to 256 tokens, at most 1 MiB together. The results are in the order of the requests: a response with a verdict, also for
   * a token that is not valid, or the status of a request that was refused, which `errorFromStatus` converts. Retried and hedged as
   * {@link validateToken}.
   */
  batchValidateTokens(
    request: MessageInitShape<typeof BatchValidateTokensRequestSchema>,
    options?: CallOptions,
  ): Promise<BatchValidateTokensResponse>;
  /** Validates the tokens of 1 to 256 calls, at most 1 MiB together, with results as for {@link batchValidateTokens}. */
  batchValidateCredentials(
    request: MessageInitShape<typeof BatchValidateCredentialsRequestSchema>,
    options?: CallOptions,
  ): Promise<BatchValidateCredentialsResponse>;
  /** Closes the connection that was opened for this client. A connection passed in stays open. */
  close(): void;
}

/**
 * Creates a client of CredentialService, on its own connection or on a shared one from {@link connect}.
 *
 * @example
 * ```ts
 * const client = createCredentialClient({ address: 'dns:///callpass.example:7443', tls: {} });
 * const response = await client.issueCredentials({ destination: 'support', requestId: crypto.randomUUID() });
 * client.close();
 * ```
 */
export function createCredentialClient(target: Connection | ConnectOptions): CredentialClient {
  const client = createServiceClient(CredentialService, target, { coalesced, hedges: true });
  return {
    ...client,
    issueCredentials: async (request, options) =>
      assertUsable(await client.issueCredentials(request, options)),
  };
}

type MethodName = keyof typeof CredentialService.method;

/**
 * RPCs whose requests share another one, which gives a result for each of them, and how many of the largest fit its message of 1 MiB:
 * an issue has some 850 bytes at most, a token 4 KiB.
 */
const SHARED: readonly {
  readonly alone: MethodName;
  readonly together: MethodName;
  readonly largest: number;
}[] = [
  { alone: 'issueCredentials', together: 'batchIssueCredentials', largest: 256 },
  { alone: 'validateToken', together: 'batchValidateTokens', largest: 240 },
  { alone: 'validateCredentials', together: 'batchValidateCredentials', largest: 80 },
];

type BatchResponse =
  BatchIssueCredentialsResponse | BatchValidateTokensResponse | BatchValidateCredentialsResponse;

function coalesced(attempts: Attempts, { coalesce }: Connection): Attempts {
  if (coalesce === undefined) return {};
  const sharing = SHARED.map(({ alone, together, largest: largestBatch }) => {
    const single = attempts[alone] as Attempt<unknown, unknown>;
    const send = attempts[together] as Attempt<unknown, unknown>;
    const batch: Attempt<readonly unknown[], BatchOutcome<unknown>[]> = async (requests, options) => {
      const { results } = (await send({ requests }, options)) as BatchResponse;
      return results.map(({ result }) => outcomeOf(result));
    };
    return [alone, coalesceAttempts({ single, batch, largestBatch }, coalesce)] as const;
  });
  return Object.fromEntries(sharing);
}

function outcomeOf(result: BatchResponse['results'][number]['result']): BatchOutcome<unknown> {
  switch (result.case) {
    case 'response':
      return { answer: result.value };
    case 'status':
      return { error: errorFromStatus(result.value) };
    case undefined:
      return { error: unansweredError() };
  }
}

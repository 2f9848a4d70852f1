import type { MessageInitShape } from '@bufbuild/protobuf';
import {
  CredentialService,
  type BatchIssueCredentialsRequestSchema,
  type BatchIssueCredentialsResponse,
  type IssueCredentialsRequestSchema,
  type IssueCredentialsResponse,
  type ValidateCredentialsRequestSchema,
  type ValidateCredentialsResponse,
  type ValidateTokenRequestSchema,
  type ValidateTokenResponse,
} from '@callpass/contract';
import { createServiceClient, type CallOptions } from '../calls/service-client.ts';
import type { Connection, ConnectOptions } from '../connection/connect.ts';
import { assertUsable } from './assert-usable.ts';

/** Issues and validates credentials. Each method rejects with a {@link CallpassError}. */
export interface CredentialClient {
  /**
   * Issues the credentials of one call. Retried only when it carries a `requestId` (a UUID): then, and only then, asking
   * again cannot issue twice. Without one, grpc-js alone sends it again, and only when it is certain that the
   * service has not seen it. An answer of time-limited credentials without tokens, expiry or refresh time is refused with
   * code INTERNAL.
   */
  issueCredentials(
    request: MessageInitShape<typeof IssueCredentialsRequestSchema>,
    options?: CallOptions,
  ): Promise<IssueCredentialsResponse>;
  /**
   * Issues for 1 to 256 calls, results in the order of the requests; `errorFromStatus` makes the error of a refused one.
   * Retried only when each of them carries a `requestId`.
   */
  batchIssueCredentials(
    request: MessageInitShape<typeof BatchIssueCredentialsRequestSchema>,
    options?: CallOptions,
  ): Promise<BatchIssueCredentialsResponse>;
  /** Judges one token. A wrong token is an answer with a verdict, no error. */
  validateToken(
    request: MessageInitShape<typeof ValidateTokenRequestSchema>,
    options?: CallOptions,
  ): Promise<ValidateTokenResponse>;
  /** Judges the three tokens of a call and whether they belong together. Wrong tokens are an answer, no error. */
  validateCredentials(
    request: MessageInitShape<typeof ValidateCredentialsRequestSchema>,
    options?: CallOptions,
  ): Promise<ValidateCredentialsResponse>;
  /** Closes the connection that was opened for this client; one that it was given stays open. */
  close(): void;
}

/** A client of CredentialService, on a connection of its own or on a shared one from `connect`. */
export function createCredentialClient(target: Connection | ConnectOptions): CredentialClient {
  const client = createServiceClient(CredentialService, target);
  return {
    ...client,
    issueCredentials: async (request, options) =>
      assertUsable(await client.issueCredentials(request, options)),
  };
}

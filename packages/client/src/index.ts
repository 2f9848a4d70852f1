export { createCredentialClient, type CredentialClient } from './credentials/credential-client.ts';
export { type AnonymousCredentials, makeAnonymousArguments } from './credentials/make-anonymous-arguments.ts';
export { isFresh } from './credentials/freshness.ts';
export { CallpassError, type CallpassErrorDetails, type Violation } from './errors/callpass-error.ts';
export {
  type BatchIssueCredentialsRequest,
  BatchIssueCredentialsRequestSchema,
  type BatchIssueCredentialsResponse,
  BatchIssueCredentialsResponseSchema,
  type BatchValidateCredentialsRequest,
  BatchValidateCredentialsRequestSchema,
  type BatchValidateCredentialsResponse,
  BatchValidateCredentialsResponseSchema,
  type BatchValidateTokensRequest,
  BatchValidateTokensRequestSchema,
  type BatchValidateTokensResponse,
  BatchValidateTokensResponseSchema,
  type IssueCredentialsRequest,
  IssueCredentialsRequestSchema,
  type IssueCredentialsResponse,
  IssueCredentialsResponseSchema,
  type Reason,
  TokenKind,
  type ValidateCredentialsRequest,
  ValidateCredentialsRequestSchema,
  type ValidateCredentialsResponse,
  ValidateCredentialsResponseSchema,
  type ValidateTokenRequest,
  ValidateTokenRequestSchema,
  type ValidateTokenResponse,
  ValidateTokenResponseSchema,
  Verdict,
} from '@callpass/contract';
export { create, fromJson, toJson } from '@bufbuild/protobuf';
export { timestampDate, timestampMs } from '@bufbuild/protobuf/wkt';
export { credentials, status } from '@grpc/grpc-js';
export { errorFromStatus } from './errors/from-status.ts';
export { RequestEncodingError } from '@callpass/grpc-kit/client';
export { type CoalesceOptions } from './calls/coalescer.ts';
export { type CallOptions } from './calls/service-client.ts';
export { type CallMetadata, type ClientCall, type ClientInterceptor } from './calls/interceptor.ts';
export { type RetryOptions } from './calls/retries.ts';
export { type ConnectOptions } from './connection/connect.ts';
export { type TlsOptions } from './connection/tls-credentials.ts';
export { type TokenSource } from './connection/bearer-token.ts';

// For tools of operators: several clients on one connection.
export { connect, type Connection } from './connection/connect.ts';
export {
  type AdminClient,
  createAdminClient,
  createHealthClient,
  createLedgerClient,
  type HealthClient,
  type LedgerClient,
} from './operator-clients.ts';
export { type FollowEntries, type FollowOptions, type FollowRequest } from './ledger/follow-entries.ts';
export { isLoopback } from './connection/loopback.ts';
export { type Timing } from './calls/retries.ts';

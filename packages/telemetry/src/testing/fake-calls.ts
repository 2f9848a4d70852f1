import { Metadata } from '@grpc/grpc-js';

/** A method name as grpc-kit hands it over. */
export const ISSUE = 'callpass.v1.CredentialService/IssueCredentials';

/** An error with a gRPC status, shaped like grpc-kit's. The message holds what must never be recorded. */
export class FakeRpcError extends Error {
  readonly code: number;
  constructor(code: number) {
    super('canary-message');
    this.name = 'RpcError';
    this.code = code;
  }
}

/** A server call, with metadata as a client would have sent it. */
export function serverCall(headers: Readonly<Record<string, string>> = {}, methodName = ISSUE) {
  const metadata = new Metadata();
  for (const [key, value] of Object.entries(headers)) metadata.set(key, value);
  return { methodName, metadata, peer: '127.0.0.1:50123' };
}

/** A client call with empty metadata. */
export function clientCall(methodName = ISSUE) {
  return { methodName, metadata: new Metadata() };
}

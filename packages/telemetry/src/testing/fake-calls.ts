import { Metadata } from '@grpc/grpc-js';

/** Method name in the form of grpc-kit. */
export const ISSUE = 'callpass.v1.CredentialService/IssueCredentials';

/** Error with a gRPC status, in the form of grpc-kit. Its message must never be recorded. */
export class FakeRpcError extends Error {
  readonly code: number;
  constructor(code: number) {
    super('canary-message');
    this.name = 'RpcError';
    this.code = code;
  }
}

/** Creates a server call with the metadata of a client. */
export function serverCall(headers: Readonly<Record<string, string>> = {}, methodName = ISSUE) {
  const metadata = new Metadata();
  for (const [key, value] of Object.entries(headers)) metadata.set(key, value);
  return { methodName, metadata, peer: '127.0.0.1:50123' };
}

/** Creates a client call with empty metadata. */
export function clientCall(methodName = ISSUE) {
  return { methodName, metadata: new Metadata() };
}

import { Metadata } from '@grpc/grpc-js';
import type { ServerTelemetry } from '../server-telemetry.ts';

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

type FakeServerCall = ReturnType<typeof serverCall>;

/** Serves a call as grpc-kit does: runs it through server telemetry, and reports its end. */
export async function serve(
  telemetry: ServerTelemetry,
  call: FakeServerCall,
  next: () => Promise<void>,
): Promise<void> {
  try {
    await telemetry(call, next);
  } catch (error) {
    // The kit gives every error a status, whatever was thrown.
    call.end(error ?? new Error('unknown'));
    throw error;
  }
  call.end();
}

/** Creates a server call with the metadata of a client. */
export function serverCall(headers: Readonly<Record<string, string>> = {}, methodName = ISSUE) {
  const metadata = new Metadata();
  for (const [key, value] of Object.entries(headers)) metadata.set(key, value);
  const listeners: ((error: unknown) => void)[] = [];
  return {
    methodName,
    metadata,
    peer: '127.0.0.1:50123',
    onEnd: (listener: (error: unknown) => void) => {
      listeners.push(listener);
    },
    end: (error?: unknown) => {
      for (const listener of listeners) listener(error);
    },
  };
}

/** Creates a client call with empty metadata. */
export function clientCall(methodName = ISSUE) {
  return { methodName, metadata: new Metadata() };
}

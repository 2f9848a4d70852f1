import { type ServerInterceptor, type ServerInterceptingCallInterface, status } from '@grpc/grpc-js';
import type { ErrorCode, RpcError } from '../error/rpc-error.ts';
import { toWireStatus } from '../error/status-details.ts';

type Status = Parameters<ServerInterceptingCallInterface['sendStatus']>[0];

/**
 * Creates an interceptor of grpc-js, the first in the options of a server, that replaces each error status that grpc-js makes
 * itself, such as the one at a call's deadline. It has a code and no details; `complete` gives the error to send for it.
 */
export function completeStatuses(complete: (code: ErrorCode) => RpcError): ServerInterceptor {
  // One function for all calls, since every call pays for it.
  function sendStatus(this: ServerInterceptingCallInterface, sent: Status): void {
    const completed = isOfGrpcJs(sent) ? toWireStatus(complete(sent.code as ErrorCode)) : sent;
    (Object.getPrototypeOf(this) as ServerInterceptingCallInterface).sendStatus.call(this, completed);
  }
  return (_method, call) => {
    call.sendStatus = sendStatus;
    // The type asks for a wrapper; grpc-js itself takes any call.
    return call as ReturnType<ServerInterceptor>;
  };
}

/** The kit sends its errors with metadata, even if that is empty. */
function isOfGrpcJs({ code, metadata }: Status): boolean {
  return code !== status.OK && (metadata === null || metadata === undefined);
}

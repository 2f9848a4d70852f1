import { status } from '@grpc/grpc-js';
import { CallpassError } from './callpass-error.ts';

/** The error of a call that its caller has given up; the cause is the reason of the caller's signal. */
export function cancelledError(reason: unknown): CallpassError {
  return new CallpassError('the call was cancelled', { code: status.CANCELLED, cause: reason });
}

/** The error of a call on a connection that was closed. */
export function closedError(): CallpassError {
  return new CallpassError('the client is closed', { code: status.CANCELLED });
}

/** The error of a call that waited for its turn for as long as it might take. */
export function overdueError(): CallpassError {
  return new CallpassError('the call took longer than its time limit', { code: status.DEADLINE_EXCEEDED });
}

/** The error of a request that has no result in the answer to its batch. */
export function unansweredError(): CallpassError {
  return new CallpassError('the service left out an answer', { code: status.INTERNAL });
}

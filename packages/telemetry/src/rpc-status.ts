/** gRPC status names by number (grpc/doc/statuscodes.md); the index is the code. */
export const STATUS_NAMES = [
  'OK',
  'CANCELLED',
  'UNKNOWN',
  'INVALID_ARGUMENT',
  'DEADLINE_EXCEEDED',
  'NOT_FOUND',
  'ALREADY_EXISTS',
  'PERMISSION_DENIED',
  'RESOURCE_EXHAUSTED',
  'FAILED_PRECONDITION',
  'ABORTED',
  'OUT_OF_RANGE',
  'UNIMPLEMENTED',
  'INTERNAL',
  'UNAVAILABLE',
  'DATA_LOSS',
  'UNAUTHENTICATED',
] as const;

/** Code of a call that went well. */
export const STATUS_OK = 0;
/** What a client records when an error carries no status: nobody said what happened. */
export const STATUS_UNKNOWN = 2;
/** What a server records when an error carries no status: it answers INTERNAL for those. */
export const STATUS_INTERNAL = 13;
/** What grpc-js gives a call that it found no connection for. */
export const STATUS_UNAVAILABLE = 14;

const SERVER_FAULTS: ReadonlySet<number> = new Set([2, 4, 12, 13, 14, 15]);

/**
 * Whether a status is the server's own fault: UNKNOWN, DEADLINE_EXCEEDED, UNIMPLEMENTED, INTERNAL,
 * UNAVAILABLE or DATA_LOSS. Refusals are answers, not faults. (Semantic conventions 1.45, gRPC, server span.)
 */
export function isServerFault(code: number): boolean {
  return SERVER_FAULTS.has(code);
}

/** Whether a client counts a status as failed: all but OK. (Semantic conventions 1.45, gRPC, client span.) */
export function isClientFault(code: number): boolean {
  return code !== STATUS_OK;
}

/**
 * The gRPC status of a thrown value: its `code` where that is a status other than OK, or `undefined`.
 * Never throws.
 */
export function statusOf(error: unknown): number | undefined {
  const code: unknown =
    typeof error === 'object' && error !== null && 'code' in error ? error.code : undefined;
  const isStatus = typeof code === 'number' && code !== STATUS_OK && STATUS_NAMES[code] !== undefined;
  return isStatus ? code : undefined;
}

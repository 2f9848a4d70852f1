/** Names of gRPC status codes (grpc/doc/statuscodes.md); the index is the code. */
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

/** Code of a successful call. */
export const STATUS_OK = 0;
/** Code that a client records for an error without a status. */
export const STATUS_UNKNOWN = 2;
/** Code that a server records, and sends, for an error without a status. */
export const STATUS_INTERNAL = 13;
/** Code of a call for which grpc-js has no connection. */
export const STATUS_UNAVAILABLE = 14;

const SERVER_FAULTS: ReadonlySet<number> = new Set([2, 4, 12, 13, 14, 15]);

/**
 * Checks if a status is a fault of the server: UNKNOWN, DEADLINE_EXCEEDED, UNIMPLEMENTED, INTERNAL, UNAVAILABLE or DATA_LOSS.
 * Refusals are not faults. (Semantic conventions 1.45, gRPC, server span.)
 */
export function isServerFault(code: number): boolean {
  return SERVER_FAULTS.has(code);
}

/** Checks if a status is a failure for the client: all but OK. (Semantic conventions 1.45, gRPC, client span.) */
export function isClientFault(code: number): boolean {
  return code !== STATUS_OK;
}

/**
 * Gets the gRPC status of a thrown value: its `code` if that is a status other than OK, else `undefined`. Does not throw.
 */
export function statusOf(error: unknown): number | undefined {
  const code: unknown =
    typeof error === 'object' && error !== null && 'code' in error ? error.code : undefined;
  const isStatus = typeof code === 'number' && code !== STATUS_OK && STATUS_NAMES[code] !== undefined;
  return isStatus ? code : undefined;
}

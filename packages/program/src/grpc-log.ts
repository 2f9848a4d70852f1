import { setLogger } from '@grpc/grpc-js';
import { createCountedLines } from './counted-lines.ts';

/** Destination of the lines; a {@link createLog} or the terminal. */
export interface GrpcLog {
  warn(fields: { readonly kind: string; readonly count: number }, message: string): void;
}

/** First words of the messages of grpc-js, before any value. */
const KINDS: readonly (readonly [start: string, kind: string])[] = [
  ['Failed to add metadata entry', 'metadata that cannot be represented was dropped'],
  ['Failed to createSecureContext', 'a TLS context cannot be made'],
  ['Failed to set secure context', 'a TLS context cannot be made'],
  ['Failed to connect to', 'a proxy cannot be reached'],
  ['cannot parse value of', 'the address of a proxy is invalid'],
  ['"', 'the address of a proxy is invalid'],
  ['No address added', 'an address cannot be bound'],
  ['WARNING Only', 'an address cannot be bound'],
  ['Connection to', 'a server closed the connection for too many pings'],
  ['Invalid value provided for grpc.default_compression_algorithm', 'a compression algorithm is unknown'],
];

/**
 * Sends the log of grpc-js to the log of the program: one line for each kind of message, at most once a second, with the
 * number of messages that it stands for. The texts of grpc-js are left out, since they contain headers of the peer, credentials
 * among them. So are its traces (`GRPC_TRACE`). Holds for the whole process; a later call replaces an earlier one.
 */
export function followGrpcLog(log: GrpcLog): void {
  const lines = createCountedLines();
  const note = (message: unknown) => {
    const kind = kindOf(message);
    lines.note(kind, (count) => {
      log.warn({ kind, count }, 'message of the gRPC library');
    });
  };
  setLogger({ error: note, info: note, debug: () => undefined });
}

function kindOf(message: unknown): string {
  const text = String(message);
  return KINDS.find(([start]) => text.startsWith(start))?.[1] ?? 'other';
}

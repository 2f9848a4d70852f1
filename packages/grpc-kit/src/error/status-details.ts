import { create, fromBinary, toBinary } from '@bufbuild/protobuf';
import { StatusSchema } from '@callpass/rpc-protos/gen/google/rpc/status_pb.js';
import { Metadata, type ServiceError, status } from '@grpc/grpc-js';
import { asBuffer } from '../codec/codec.ts';
import { type ErrorCode, RpcError } from './rpc-error.ts';

const DETAILS_KEY = 'grpc-status-details-bin';

// Peers commonly accept 8 KiB of trailers (gRPC's soft limit). Base64 adds a third, and other trailers need space too.
const MAX_DETAILS_BYTES = 4096;
const MAX_MESSAGE_LENGTH = 1024;

/** Error of a call in the form of grpc-js. */
export interface WireStatus {
  readonly code: ErrorCode;
  readonly details: string;
  readonly metadata: Metadata;
}

/**
 * Converts an error to the status that grpc-js sends, with details in `grpc-status-details-bin` as google.rpc.Status.
 * Details over 4 KiB are left out, since trailers over the peer's limit would lose the code too. Messages are cut at 1,024
 * characters.
 */
export function toWireStatus(error: RpcError, trailer?: Metadata): WireStatus {
  // encodeURI in grpc-js throws for a lone surrogate.
  const message = error.message.slice(0, MAX_MESSAGE_LENGTH).toWellFormed();
  const metadata = new Metadata();
  if (trailer) metadata.merge(trailer);
  if (error.metadata) metadata.merge(error.metadata);
  if (error.details.length > 0) {
    const { code, details } = error;
    const bytes = toBinary(StatusSchema, create(StatusSchema, { code, message, details: [...details] }));
    if (bytes.byteLength <= MAX_DETAILS_BYTES) metadata.set(DETAILS_KEY, asBuffer(bytes));
  }
  return { code: error.code, details: message, metadata };
}

/** Converts the error that grpc-js reports for a failed call. Leaves out details that cannot be decoded. */
export function fromServiceError(error: ServiceError, cause?: unknown): RpcError {
  const metadata = error.metadata ?? new Metadata();
  const code = error.code === status.OK ? status.UNKNOWN : error.code;
  return new RpcError(code, error.details, { details: readDetails(metadata), metadata, cause });
}

function readDetails(metadata: Metadata) {
  const [bytes] = metadata.get(DETAILS_KEY);
  if (!Buffer.isBuffer(bytes)) return [];
  try {
    return fromBinary(StatusSchema, bytes).details;
  } catch {
    return [];
  }
}

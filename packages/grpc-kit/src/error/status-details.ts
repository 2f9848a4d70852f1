import { create, fromBinary, toBinary } from '@bufbuild/protobuf';
import { StatusSchema } from '@callpass/rpc-protos/gen/google/rpc/status_pb.js';
import { Metadata, type ServiceError, status } from '@grpc/grpc-js';
import { asBuffer } from '../codec/codec.ts';
import { type ErrorCode, RpcError } from './rpc-error.ts';

const DETAILS_KEY = 'grpc-status-details-bin';

// Peers commonly accept 8 KiB of trailers (gRPC's soft limit); base64 adds a third and other trailers need room.
const MAX_DETAILS_BYTES = 4096;
const MAX_MESSAGE_LENGTH = 1024;

/** What grpc-js takes as the error of a call. */
export interface WireStatus {
  readonly code: ErrorCode;
  readonly details: string;
  readonly metadata: Metadata;
}

/**
 * Turns an error into the status that grpc-js sends, details in `grpc-status-details-bin` as google.rpc.Status.
 * Details over 4 KiB are left out, since trailers over the peer's limit would lose the code as well; a message is cut
 * at 1,024 characters.
 */
export function toWireStatus(error: RpcError, trailer?: Metadata): WireStatus {
  // encodeURI inside grpc-js throws on half a surrogate pair.
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

/** Reads what grpc-js reports for a failed call. Details that cannot be decoded are left out. */
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

import {
  create,
  type DescMessage,
  fromBinary,
  type MessageInitShape,
  type MessageShape,
} from '@bufbuild/protobuf';
import { type Any, anyIs, anyPack, AnySchema } from '@bufbuild/protobuf/wkt';
import { type Metadata, status } from '@grpc/grpc-js';

/** Status code of gRPC other than OK. */
export type ErrorCode = Exclude<status, status.OK>;

/** Typed detail of an error, mostly a message of google/rpc/error_details.proto. */
export interface RpcErrorDetail<D extends DescMessage = DescMessage> {
  readonly desc: D;
  readonly value: MessageInitShape<D>;
}

/** Options of an {@link RpcError}. */
export interface RpcErrorOptions {
  /** Details, sent in `grpc-status-details-bin`. Default: none. */
  readonly details?: readonly (RpcErrorDetail | Any)[];
  /** Trailers: on the server those to send with the status, on the client those received. */
  readonly metadata?: Metadata;
  /** Cause of the error. Never sent. */
  readonly cause?: unknown;
}

/** Creates an entry of {@link RpcErrorOptions.details}; the types ensure that message and descriptor fit. */
export function detail<D extends DescMessage>(desc: D, value: MessageInitShape<D>): RpcErrorDetail {
  return { desc, value };
}

/**
 * Error with a gRPC status: thrown by a server to send the status, and by a client that received it.
 *
 * Code, message, details and metadata are sent, so they must not contain secrets. The cause is not sent.
 */
export class RpcError extends Error {
  /** Status code, never OK. A number that gRPC does not define is UNKNOWN. */
  readonly code: ErrorCode;
  /** Details as sent, including those of unknown types. */
  readonly details: readonly Any[];
  /** Trailers of the call; undefined if there are none. */
  readonly metadata: Metadata | undefined;

  constructor(code: ErrorCode, message: string, options: RpcErrorOptions = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.name = 'RpcError';
    this.code = code >= status.CANCELLED && code <= status.UNAUTHENTICATED ? code : status.UNKNOWN;
    this.details = (options.details ?? []).map(pack);
    this.metadata = options.metadata;
  }

  /** Finds the details of one type, in order. Leaves out those that cannot be decoded. */
  findDetails<D extends DescMessage>(desc: D): MessageShape<D>[] {
    const found: MessageShape<D>[] = [];
    for (const any of this.details) {
      if (!anyIs(any, desc)) continue;
      try {
        found.push(fromBinary(desc, any.value));
      } catch {
        // An invalid detail must not hide the error that it came with.
      }
    }
    return found;
  }
}

function pack(item: RpcErrorDetail | Any): Any {
  return 'desc' in item ? anyPack(item.desc, create(item.desc, item.value)) : create(AnySchema, item);
}

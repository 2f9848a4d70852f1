import {
  create,
  type DescMessage,
  fromBinary,
  type MessageInitShape,
  type MessageShape,
} from '@bufbuild/protobuf';
import { type Any, anyIs, anyPack, AnySchema } from '@bufbuild/protobuf/wkt';
import { type Metadata, status } from '@grpc/grpc-js';

/** A status code of gRPC other than OK. */
export type ErrorCode = Exclude<status, status.OK>;

/** A typed detail of an error, in most cases a message of google/rpc/error_details.proto. */
export interface RpcErrorDetail<D extends DescMessage = DescMessage> {
  readonly desc: D;
  readonly value: MessageInitShape<D>;
}

/** What an {@link RpcError} carries besides code and message. */
export interface RpcErrorOptions {
  /** Details that travel in `grpc-status-details-bin`; none by default. */
  readonly details?: readonly (RpcErrorDetail | Any)[];
  /** Server: trailers to send with the status. Client: the trailers that came. */
  readonly metadata?: Metadata;
  /** Why it failed. Stays in this process: it is never sent. */
  readonly cause?: unknown;
}

/** Pairs a message with its descriptor and checks that they fit, for {@link RpcErrorOptions.details}. */
export function detail<D extends DescMessage>(desc: D, value: MessageInitShape<D>): RpcErrorDetail {
  return { desc, value };
}

/**
 * The one error that becomes a status on the wire, and the one that a client throws.
 *
 * Code, message, details and metadata reach the other side, so they must hold nothing secret. The cause does not.
 */
export class RpcError extends Error {
  /** Never OK; a number that gRPC does not define reads as UNKNOWN. */
  readonly code: ErrorCode;
  /** All details as they travel, also those of types unknown here. */
  readonly details: readonly Any[];
  /** Trailers of the call, where there are any. */
  readonly metadata: Metadata | undefined;

  constructor(code: ErrorCode, message: string, options: RpcErrorOptions = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.name = 'RpcError';
    this.code = code >= status.CANCELLED && code <= status.UNAUTHENTICATED ? code : status.UNKNOWN;
    this.details = (options.details ?? []).map(pack);
    this.metadata = options.metadata;
  }

  /** The details of one type, in order. One that claims the type but cannot be decoded is left out. */
  findDetails<D extends DescMessage>(desc: D): MessageShape<D>[] {
    const found: MessageShape<D>[] = [];
    for (const any of this.details) {
      if (!anyIs(any, desc)) continue;
      try {
        found.push(fromBinary(desc, any.value));
      } catch {
        // A garbled detail must not hide the error it came with.
      }
    }
    return found;
  }
}

function pack(item: RpcErrorDetail | Any): Any {
  return 'desc' in item ? anyPack(item.desc, create(item.desc, item.value)) : create(AnySchema, item);
}

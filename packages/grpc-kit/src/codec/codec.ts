import {
  create,
  type DescMessage,
  type DescMethod,
  fromBinary,
  type Message,
  type MessageInitShape,
  toBinary,
} from '@bufbuild/protobuf';

/** Views bytes as a Buffer on the same memory, without a copy. */
export function asBuffer(bytes: Uint8Array): Buffer {
  return Buffer.isBuffer(bytes) ? bytes : Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}

/**
 * Response that is encoded already, from a store or by an encoder of its own. A handler may return it instead of a message,
 * and must ensure that the bytes are a message of the method's type: they are not checked.
 */
export class EncodedMessage {
  readonly bytes: Uint8Array;

  constructor(bytes: Uint8Array) {
    this.bytes = bytes;
  }
}

/** Encodes a message or its initializer. Throws if a value does not fit its field. */
export function encode(desc: DescMessage, init: MessageInitShape<DescMessage> | EncodedMessage): Buffer {
  return asBuffer(init instanceof EncodedMessage ? init.bytes : toBinary(desc, create(desc, init)));
}

/** Decoding options. Unknown fields are dropped: a message of empty ones would take a hundred times its size in memory. */
const KNOWN_FIELDS = { readUnknownFields: false } as const;

/** Decodes the fields of a message that its type knows; throws on bytes that are none. */
export function decode(desc: DescMessage, bytes: Uint8Array): Message {
  return fromBinary(desc, bytes, KNOWN_FIELDS);
}

/** Returns bytes unchanged: grpc-js gets buffers, so that this kit reports messages that cannot be decoded. */
export const passThrough = (bytes: Buffer): Buffer => bytes;

/** Name of a method as `pkg.Service/Method`, for telemetry, methods tables and logs. */
export function methodName(method: DescMethod): string {
  return `${method.parent.typeName}/${method.name}`;
}

/** Path of a method on the wire: `/pkg.Service/Method`. */
export function methodPath(method: DescMethod): string {
  return `/${methodName(method)}`;
}

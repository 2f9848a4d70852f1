import {
  create,
  type DescMessage,
  type DescMethod,
  fromBinary,
  type Message,
  type MessageInitShape,
  toBinary,
} from '@bufbuild/protobuf';

/** A view of the same memory, not a copy. */
export function asBuffer(bytes: Uint8Array): Buffer {
  return Buffer.isBuffer(bytes) ? bytes : Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}

/**
 * An answer that is encoded already: remembered from before, or written by hand where that pays. A handler may give it in
 * place of a message; that the bytes are a message of the method's type is for the handler to see to.
 */
export class EncodedMessage {
  readonly bytes: Uint8Array;

  constructor(bytes: Uint8Array) {
    this.bytes = bytes;
  }
}

/** Encodes a message, or what initialises one. Throws when a value does not fit its field. */
export function encode(desc: DescMessage, init: MessageInitShape<DescMessage> | EncodedMessage): Buffer {
  return asBuffer(init instanceof EncodedMessage ? init.bytes : toBinary(desc, create(desc, init)));
}

/** Decodes a message; throws on bytes that are none. */
export function decode(desc: DescMessage, bytes: Uint8Array): Message {
  return fromBinary(desc, bytes);
}

/** Leaves bytes as they are: grpc-js is given buffers, so that this kit, not grpc-js, answers for bad ones. */
export const passThrough = (bytes: Buffer): Buffer => bytes;

/** `pkg.Service/Method`, the name that telemetry, methods tables and logs use. */
export function methodName(method: DescMethod): string {
  return `${method.parent.typeName}/${method.name}`;
}

/** `/pkg.Service/Method`, the path on the wire. */
export function methodPath(method: DescMethod): string {
  return `/${methodName(method)}`;
}

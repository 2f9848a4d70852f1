import type {
  DescMessage,
  DescMethod,
  DescMethodBiDiStreaming,
  DescMethodClientStreaming,
  DescMethodServerStreaming,
  DescMethodUnary,
  DescService,
  MessageInitShape,
  MessageShape,
} from '@bufbuild/protobuf';
import type { EncodedMessage } from '../codec/codec.ts';
import type { ServerCall } from './server-call.ts';

/** Handler of one request and one response, as a message or encoded already. */
export type UnaryHandler<I extends DescMessage, O extends DescMessage> = (
  request: MessageShape<I>,
  call: ServerCall,
) => Promise<MessageInitShape<O> | EncodedMessage> | MessageInitShape<O> | EncodedMessage;

/** Handler of one request and many responses. If it waits between responses, it must observe `call.signal`. */
export type ServerStreamHandler<I extends DescMessage, O extends DescMessage> = (
  request: MessageShape<I>,
  call: ServerCall,
) => AsyncIterable<MessageInitShape<O>>;

/** Handler of many requests and one response. The requests end with an {@link RpcError} when the call is cancelled. */
export type ClientStreamHandler<I extends DescMessage, O extends DescMessage> = (
  requests: AsyncIterable<MessageShape<I>>,
  call: ServerCall,
) => Promise<MessageInitShape<O>>;

/** Handler of many requests and many responses, in any order. */
export type BidiHandler<I extends DescMessage, O extends DescMessage> = (
  requests: AsyncIterable<MessageShape<I>>,
  call: ServerCall,
) => AsyncIterable<MessageInitShape<O>>;

/** Handler type of a method, by its kind. */
export type Handler<M extends DescMethod> =
  M extends DescMethodUnary<infer I, infer O>
    ? UnaryHandler<I, O>
    : M extends DescMethodServerStreaming<infer I, infer O>
      ? ServerStreamHandler<I, O>
      : M extends DescMethodClientStreaming<infer I, infer O>
        ? ClientStreamHandler<I, O>
        : M extends DescMethodBiDiStreaming<infer I, infer O>
          ? BidiHandler<I, O>
          : never;

/** Handlers of all methods of a service, by the method's name in lower camel case. */
export type Handlers<D extends DescService> = { [K in keyof D['method']]: Handler<D['method'][K]> };

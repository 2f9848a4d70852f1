import { setImmediate as nextTurn } from 'node:timers/promises';
import type { DescMessage, DescMethod, Message, MessageInitShape } from '@bufbuild/protobuf';
import {
  type sendUnaryData,
  type ServerDuplexStream,
  type ServerReadableStream,
  type ServerUnaryCall,
  type ServerWritableStream,
  status,
  type UntypedHandleCall,
} from '@grpc/grpc-js';
import { decode, encode, type EncodedMessage, methodName } from '../codec/codec.ts';
import { RpcError } from '../error/rpc-error.ts';
import { toWireStatus } from '../error/status-details.ts';
import { assertItemsFit } from '../validation/validation.ts';
import { compose, type RunCall, type ServerInterceptor } from './interceptor.ts';
import { KitServerCall, type MapError } from './server-call.ts';

type Init = MessageInitShape<DescMessage> | EncodedMessage;
type Writable = ServerWritableStream<Buffer, Buffer> | ServerDuplexStream<Buffer, Buffer>;
type Readable = ServerReadableStream<Buffer, Buffer> | ServerDuplexStream<Buffer, Buffer>;

/** @internal Handler of any kind. Its types were checked at registration. */
export type UntypedHandler = (
  request: Message | AsyncIterable<Message>,
  call: KitServerCall,
) => Promise<Init> | Init | AsyncIterable<Init>;

/** @internal Creates the function that grpc-js calls. The interceptors are composed once, here. */
export function serveMethod(
  method: DescMethod,
  handler: UntypedHandler,
  { interceptors, mapError }: { interceptors: readonly ServerInterceptor[]; mapError: MapError },
): UntypedHandleCall {
  const of = { method, methodName: methodName(method), mapError };
  const run = compose(interceptors, handle(method, handler));
  if (method.methodKind === 'unary' || method.methodKind === 'client_streaming') {
    return (grpcCall: ServerUnaryCall<Buffer, Buffer>, answer: sendUnaryData<Buffer>) => {
      const call = new KitServerCall(of, grpcCall);
      run(call).then(
        () => sendAnswer(call, answer),
        (error: RpcError) => call.settle() && answer(toWireStatus(error, call.trailer)),
      );
    };
  }
  return (stream: Writable) => {
    const call = new KitServerCall(of, stream);
    run(call).then(
      () => endStream(call, stream),
      (error: RpcError) => call.settle() && stream.emit('error', toWireStatus(error, call.trailer)),
    );
  };
}

function handle(method: DescMethod, handler: UntypedHandler): RunCall {
  switch (method.methodKind) {
    case 'unary':
      return async (call) => {
        const result = handler(readOne(call), call) as Promise<Init> | Init;
        call.response = encode(method.output, result instanceof Promise ? await result : result);
      };
    case 'server_streaming':
      return (call) => sendAll(call, handler(readOne(call), call) as AsyncIterable<Init>);
    case 'client_streaming':
      return async (call) => {
        const requests = new RequestStream(call);
        const result = await (handler(requests.read(), call) as Promise<Init>);
        requests.assertSound();
        call.response = encode(method.output, result);
      };
    case 'bidi_streaming':
      return async (call) => {
        const requests = new RequestStream(call);
        await sendAll(call, handler(requests.read(), call) as AsyncIterable<Init>);
        requests.assertSound();
      };
  }
}

function readOne(call: KitServerCall): Message {
  return readMessage(call, (call.grpcCall as ServerUnaryCall<Buffer, Buffer>).request);
}

function readMessage(call: KitServerCall, bytes: Buffer): Message {
  assertItemsFit(call.method.input, bytes);
  let message: Message;
  try {
    message = decode(call.method.input, bytes);
  } catch (cause) {
    throw new RpcError(
      status.INVALID_ARGUMENT,
      'the request message cannot be decoded; compare the contract of client and server',
      { cause },
    );
  }
  call.inspect(message);
  return message;
}

class RequestStream {
  readonly #call: KitServerCall;
  #flaw: RpcError | undefined;

  constructor(call: KitServerCall) {
    this.#call = call;
  }

  async *read(): AsyncGenerator<Message, void, undefined> {
    const call = this.#call;
    try {
      // Without the option, a duplex stream would be destroyed at the end of its requests, before its responses.
      for await (const bytes of (call.grpcCall as Readable).iterator({ destroyOnReturn: false })) {
        yield readMessage(call, bytes as Buffer);
      }
      // grpc-js ends a stream that the client has reset like a complete one; the cancellation is visible one turn later.
      await nextTurn();
      if (call.cancelled) throw call.cancellation();
    } catch (error) {
      this.#flaw = call.fail(call.cancelled ? call.cancellation() : error);
      throw this.#flaw;
    }
  }

  /** Throws if a request message was invalid: a handler that ignores that error must not answer OK. */
  assertSound(): void {
    if (this.#flaw !== undefined) throw this.#flaw;
  }
}

async function sendAll(call: KitServerCall, answers: AsyncIterable<Init>): Promise<void> {
  const stream = call.grpcCall as Writable;
  for await (const answer of answers) {
    if (call.cancelled) throw call.cancellation();
    call.ensureHeader();
    if (!stream.write(encode(call.method.output, answer))) await drained(stream);
    if (call.cancelled) throw call.cancellation();
  }
}

function drained(stream: Writable): Promise<void> {
  return new Promise((resolve) => {
    const done = () => {
      stream.off('drain', done).off('cancelled', done);
      resolve();
    };
    stream.once('drain', done).once('cancelled', done);
  });
}

function sendAnswer(call: KitServerCall, answer: sendUnaryData<Buffer>): void {
  if (call.response === undefined) {
    const error = call.fail(new TypeError(`an interceptor of ${call.methodName} did not call next`));
    if (call.settle()) answer(toWireStatus(error, call.trailer));
  } else if (call.settle()) {
    call.ensureHeader();
    answer(null, call.response, call.trailer);
  }
}

function endStream(call: KitServerCall, stream: Writable): void {
  if (!call.handled) {
    const error = call.fail(new TypeError(`an interceptor of ${call.methodName} did not call next`));
    if (call.settle()) stream.emit('error', toWireStatus(error, call.trailer));
  } else if (call.settle()) stream.end(call.trailer);
}

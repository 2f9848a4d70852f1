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
import { assertDecodable } from '../validation/validation.ts';
import { compose, mapRejection, type RunCall, type ServerInterceptor } from './interceptor.ts';
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
      serve(
        run,
        new KitServerCall(of, grpcCall, (call, error) => {
          sendAnswer(call, answer, error);
        }),
      );
    };
  }
  return (stream: Writable) => {
    serve(run, new KitServerCall(of, stream, endStream));
  };
}

function serve(run: RunCall, call: KitServerCall): void {
  const fail = (error: unknown) => {
    call.abandon(error);
  };
  let running: Promise<void>;
  try {
    running = run(call);
  } catch (error) {
    fail(error);
    return;
  }
  running.then(() => {
    if (call.handled) call.end(undefined);
    else fail(new TypeError(`an interceptor of ${call.methodName} did not call next`));
  }, fail);
}

const DONE = Promise.resolve();

function handle(method: DescMethod, handler: UntypedHandler): RunCall {
  switch (method.methodKind) {
    case 'unary':
      return (call) => {
        const result = handler(readOne(call), call) as Promise<Init> | Init;
        if (result instanceof Promise) return answerWith(call, result);
        call.response = encode(method.output, result);
        return DONE;
      };
    case 'server_streaming':
      return (call) => mapRejection(call, sendAll(call, handler(readOne(call), call) as AsyncIterable<Init>));
    case 'client_streaming':
      return (call) => {
        const requests = new RequestStream(call);
        const result = handler(requests.read(), call) as Promise<Init>;
        return answerWith(
          call,
          result.then((answer) => {
            requests.assertSound();
            return answer;
          }),
        );
      };
    case 'bidi_streaming':
      return (call) => {
        const requests = new RequestStream(call);
        const sent = sendAll(call, handler(requests.read(), call) as AsyncIterable<Init>);
        return mapRejection(
          call,
          sent.then(() => {
            requests.assertSound();
          }),
        );
      };
  }
}

function answerWith(call: KitServerCall, result: Promise<Init>): Promise<void> {
  return result.then(
    (answer) => {
      call.response = encode(call.method.output, answer);
    },
    (error: unknown) => {
      throw call.fail(error);
    },
  );
}

function readOne(call: KitServerCall): Message {
  return readMessage(call, (call.grpcCall as ServerUnaryCall<Buffer, Buffer>).request);
}

function readMessage(call: KitServerCall, bytes: Buffer): Message {
  assertDecodable(call.method.input, bytes);
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

function sendAnswer(call: KitServerCall, answer: sendUnaryData<Buffer>, error: RpcError | undefined): void {
  if (error !== undefined) {
    answer(toWireStatus(error, call.trailer));
    return;
  }
  call.ensureHeader();
  answer(null, call.response, call.trailer);
}

function endStream(call: KitServerCall, error: RpcError | undefined): void {
  const stream = call.grpcCall as Writable;
  if (error === undefined) stream.end(call.trailer);
  else stream.emit('error', toWireStatus(error, call.trailer));
}

import { setImmediate as nextTurn } from 'node:timers/promises';
import type { Writable } from 'node:stream';
import type { DescMessage, MessageInitShape } from '@bufbuild/protobuf';
import { encode } from '../codec/codec.ts';

/** @internal Requests that are being sent. */
export interface Sending {
  /** Error of the caller's requests or of their encoding, for which the call was cancelled. */
  readonly failure: { readonly error: unknown } | undefined;
  /** Stops taking the caller's requests, at the end of the call. */
  stop(): void;
}

/** @internal Sends requests with backpressure, then half-closes the call. */
export function sendAll(
  schema: DescMessage,
  requests: AsyncIterable<MessageInitShape<DescMessage>>,
  stream: Writable & { cancel(): void },
): Sending {
  let failure: Sending['failure'];
  let stopped = false;
  let wake: (() => void) | undefined;
  const iterator = requests[Symbol.asyncIterator]();
  // grpc-js fails writes after the end of the call, but the status of the call is reported instead.
  stream.on('error', () => {});
  stream.on('drain', () => wake?.());

  const send = async () => {
    while (!stopped) {
      const next = await iterator.next();
      if (next.done || stopped) break;
      if (!stream.write(encode(schema, next.value)) && !stopped) {
        await new Promise<void>((resolve) => (wake = resolve));
        // grpc-js reports buffered messages as written without any I/O: a source that is always ready would keep the process
        // from reading the response.
        await nextTurn();
      }
    }
    if (!stopped) stream.end();
  };
  const giveBack = () => void Promise.resolve(iterator.return?.()).catch(() => {});
  send().catch((error: unknown) => {
    if (stopped) return;
    failure = { error };
    giveBack();
    stream.cancel();
  });

  return {
    get failure() {
      return failure;
    },
    stop() {
      if (stopped) return;
      stopped = true;
      wake?.();
      giveBack();
    },
  };
}

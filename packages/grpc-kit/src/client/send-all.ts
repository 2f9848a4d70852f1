import { setImmediate as nextTurn } from 'node:timers/promises';
import type { Writable } from 'node:stream';
import type { DescMessage, MessageInitShape } from '@bufbuild/protobuf';
import { encode } from '../codec/codec.ts';

/** @internal Requests on their way out. */
export interface Sending {
  /** What the caller's requests threw, or why one cannot be encoded. The call was cancelled for it. */
  readonly failure: { readonly error: unknown } | undefined;
  /** Ends it when the call has ended: nothing more is taken from the caller's requests. */
  stop(): void;
}

/** @internal Sends requests as they come and as fast as the other side takes them, then closes that half of the call. */
export function sendAll(
  schema: DescMessage,
  requests: AsyncIterable<MessageInitShape<DescMessage>>,
  stream: Writable & { cancel(): void },
): Sending {
  let failure: Sending['failure'];
  let stopped = false;
  let wake: (() => void) | undefined;
  const iterator = requests[Symbol.asyncIterator]();
  // grpc-js fails writes that come after the end of the call; the call's own status is what is reported.
  stream.on('error', () => {});
  stream.on('drain', () => wake?.());

  const send = async () => {
    while (!stopped) {
      const next = await iterator.next();
      if (next.done || stopped) break;
      if (!stream.write(encode(schema, next.value)) && !stopped) {
        await new Promise<void>((resolve) => (wake = resolve));
        // grpc-js reports what it buffers as written, without any I/O: a source that is always ready would keep the
        // process from ever reading the answer.
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

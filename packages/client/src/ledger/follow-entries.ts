import type { MessageInitShape } from '@bufbuild/protobuf';
import type { LedgerEntry, LedgerService, TailEntriesRequestSchema } from '@callpass/contract';
import { status } from '@grpc/grpc-js';
import type { ServiceClient } from '../calls/service-client.ts';
import type { Connection } from '../connection/connect.ts';
import { CallpassError } from '../errors/callpass-error.ts';

/** Choice of the entries to follow; an empty or missing name is no choice. */
export type FollowRequest = Pick<MessageInitShape<typeof TailEntriesRequestSchema>, 'destination' | 'client'>;

/** Options of following the ledger. */
export interface FollowOptions {
  /** Ends it with CANCELLED when it aborts. */
  readonly signal?: AbortSignal | undefined;
  /** Hears of each interruption before it goes on: the error of the stream, or `undefined` where the service has ended it. */
  readonly onInterrupted?: ((error: CallpassError | undefined) => void) | undefined;
}

/** Function that follows the ledger. */
export type FollowEntries = (request?: FollowRequest, options?: FollowOptions) => AsyncIterable<LedgerEntry>;

/** Time in ms without a stream after which it gives up. */
const GIVE_UP_AFTER_MS = 60_000;
/** The same where the client is not recognised: a certificate that is renewed a little late, or a client that was removed. */
const GIVE_UP_UNKNOWN_AFTER_MS = 5_000;

/** Makes the function from the stream of TailEntries. */
export function createFollowEntries(
  { tailEntries }: Pick<ServiceClient<typeof LedgerService>, 'tailEntries'>,
  connection: Pick<Connection, 'retries' | 'closed'>,
): FollowEntries {
  const { retries } = connection;
  return async function* (request = {}, { signal, onInterrupted } = {}) {
    let positions: Map<string, bigint> | undefined;
    let attempts = 0;
    let interruptedMs = 0;
    for (;;) {
      let begun = false;
      let error: CallpassError | undefined;
      try {
        const after = positions && {
          chains: Array.from(positions, ([writerId, sequence]) => ({ writerId, sequence })),
        };
        const stream = tailEntries({ ...request, resumable: true, ...(after && { after }) }, { signal });
        for await (const { entry, positions: passed } of stream) {
          begun = true;
          if (passed) positions ??= new Map();
          for (const { writerId, sequence } of passed?.chains ?? []) positions?.set(writerId, sequence);
          if (entry === undefined) continue;
          positions?.set(entry.writerId, entry.sequence);
          yield entry;
        }
      } catch (caught) {
        if (!(caught instanceof CallpassError)) throw caught;
        error = caught;
      }
      if (begun) {
        attempts = 0;
        interruptedMs = retries.now();
      }
      const goesOn =
        positions !== undefined &&
        signal?.aborted !== true &&
        !connection.closed &&
        retries.now() - interruptedMs < giveUpAfterMs(error);
      if (!goesOn && error) throw error;
      if (!goesOn) return;
      if (begun) onInterrupted?.(error);
      attempts++;
      await retries.pause(attempts, error?.retryAfterMs, signal);
    }
  };
}

/** A refusal is an answer; what has no reason is of the transport, such as a connection whose certificate or age is over. */
function giveUpAfterMs(error: CallpassError | undefined): number {
  if (error?.reason === 'CLIENT_UNKNOWN') return GIVE_UP_UNKNOWN_AFTER_MS;
  const isTransient = error?.reason === undefined || error.code === status.UNAVAILABLE;
  return isTransient ? GIVE_UP_AFTER_MS : 0;
}

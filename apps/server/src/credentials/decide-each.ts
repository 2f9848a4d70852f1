import type { DescMessage, MessageShape } from '@bufbuild/protobuf';
import { assertValid, type ServerCall } from '@callpass/grpc-kit';
import type { Status } from '@callpass/rpc-protos/gen/google/rpc/status_pb.js';
import { SPAN_BATCH_ITEM, withSpan } from '@callpass/telemetry';
import { itemStatus, type StatusParts } from '../errors/map-error.ts';
import { explain } from '../errors/steps.ts';

/** Requests of a batch, and what their statuses are made with. */
export interface BatchItems<D extends DescMessage> {
  readonly schema: D;
  readonly requests: readonly MessageShape<D>[];
  readonly parts: StatusParts;
  readonly call: ServerCall;
}

/** Outcome of one request of a batch: its response, or the status that stands in its place. */
export type ItemOutcome<R> = { readonly response: R } | { readonly status: Status };

/**
 * Decides each request of a batch by itself, all at once: a refused or invalid one does not fail the others. The outcomes are in the
 * order of the requests.
 */
export function decideEach<D extends DescMessage, R>(
  { schema, requests, parts, call }: BatchItems<D>,
  decide: (request: MessageShape<D>) => Promise<R>,
): Promise<ItemOutcome<R>[]> {
  const decideOne = async (request: MessageShape<D>): Promise<ItemOutcome<R>> => {
    try {
      const work = () => {
        // The batch's own rules leave the items out, so that an invalid one does not fail the others.
        assertValid(schema, request);
        return decide(request);
      };
      return { response: await withSpan(SPAN_BATCH_ITEM, work, explain) };
    } catch (error) {
      return { status: itemStatus(error, call.methodName, parts) };
    }
  };
  return Promise.all(requests.map(decideOne));
}

/** The result message of an outcome, in every batch that is not encoded by hand. */
export function toResult<R>(outcome: ItemOutcome<R>) {
  return 'response' in outcome
    ? { result: { case: 'response', value: outcome.response } as const }
    : { result: { case: 'status', value: outcome.status } as const };
}

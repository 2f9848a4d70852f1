import { createRegistry, type DescMessage, type Message, toJson } from '@bufbuild/protobuf';
import { file_google_rpc_error_details } from '@callpass/rpc-protos/gen/google/rpc/error_details_pb.js';

/** Types that the status of a refused request of a batch may carry. */
const registry = createRegistry(file_google_rpc_error_details);

/**
 * Gives an answer the method that `JSON.stringify` looks for, so that `response.json(answer)` of a web framework sends protojson.
 * Without it, the seconds of a time would be refused as a bigint. Nobody else sees the method.
 */
export function withJson<M extends Message>(desc: DescMessage, answer: M): M {
  return Object.defineProperty(answer, 'toJSON', {
    configurable: true,
    value: () => toJson(desc, answer, { registry }),
  });
}

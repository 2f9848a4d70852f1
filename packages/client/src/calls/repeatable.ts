import type { DescMessage, DescMethod } from '@bufbuild/protobuf';
import { MethodOptions_IdempotencyLevel as Level } from '@bufbuild/protobuf/wkt';

/** Decides on a request. */
type Predicate = (request: unknown) => boolean;

const always: Predicate = () => true;
const never: Predicate = () => false;

/**
 * Predicate for the requests of a method that may be sent again when their outcome is unknown, from the method's
 * `idempotency_level`. A method without one is never repeated.
 */
export function repeatability({ idempotency, input }: DescMethod): Predicate {
  switch (idempotency) {
    case Level.NO_SIDE_EFFECTS:
      return always;
    case Level.IDEMPOTENT:
      return hasRequestId(input);
    case Level.IDEMPOTENCY_UNKNOWN:
      return never;
  }
}

/**
 * A method with a request id is idempotent by it. The service remembers the answer to each id for the realm's token lifetime,
 * so this client does not invent ids: a caller that wants retries gives one.
 */
function hasRequestId(input: DescMessage): Predicate {
  const { requestId, requests } = input.field as Partial<DescMessage['field']>;
  if (requestId) return (request) => Boolean((request as { requestId?: string }).requestId);
  if (requests?.fieldKind === 'list' && requests.listKind === 'message') {
    const each = hasRequestId(requests.message);
    return (request) => ((request as { requests?: readonly unknown[] }).requests ?? []).every(each);
  }
  return always;
}

import type { Message } from '@bufbuild/protobuf';

/**
 * The fields of a message, for a literal or a table that must name each of them: one more in the contract is then a type error
 * there.
 *
 * @example
 * ```ts
 * const request: MessageFields<ValidateTokenRequest> = { realm, token, kind, requireIssuedHere };
 * ```
 */
export type MessageFields<M extends Message> = Omit<M, keyof Message>;

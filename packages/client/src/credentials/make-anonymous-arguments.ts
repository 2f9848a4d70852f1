import type { IssueCredentialsResponse } from '@callpass/contract';
import { assertUsable } from './assert-usable.ts';

/** The credentials argument of the SDK's `call.makeAnonymous`; `{}` for an unrestricted call. */
export type AnonymousCredentials =
  | {
      readonly accountToken: string;
      readonly fromToken: string;
      readonly toToken: string;
      readonly realm: string;
    }
  | Readonly<Record<string, never>>;

/**
 * The three arguments of the SDK's `call.makeAnonymous(callee, credentials, callOptions)`, as plain objects. Options given
 * here are kept, but for `from`, which is the caller that the credentials were issued for.
 *
 * Throws a {@link CallpassError} with code INTERNAL if the response is unusable: an error must never become the empty
 * credentials of an unrestricted call.
 *
 * @example
 * ```ts
 * const [callee, credentials, callOptions] = makeAnonymousArguments(response, { audio: true });
 * ```
 */
export function makeAnonymousArguments<T extends object = Record<never, never>>(
  response: IssueCredentialsResponse,
  callOptions: T = {} as T,
): [callee: string, credentials: AnonymousCredentials, callOptions: T & { from: string }] {
  const { grant, callee, caller } = assertUsable(response);
  const options = { ...callOptions, from: caller };
  if (grant.case !== 'timeLimited') return [callee, {}, options];
  const { accountToken, fromToken, toToken, realm } = grant.value;
  return [callee, { accountToken, fromToken, toToken, realm }, options];
}

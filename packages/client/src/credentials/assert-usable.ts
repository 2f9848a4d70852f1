import type { IssueCredentialsResponse } from '@callpass/contract';
import { status } from '@grpc/grpc-js';
import { CallpassError } from '../errors/callpass-error.ts';

/**
 * Gives back an answer that a call can be placed with. Throws a {@link CallpassError} with code INTERNAL on one with no
 * grant, or with time-limited credentials that lack a token, the realm, the expiry or the refresh time: an empty token
 * would place an unrestricted call, and without times nobody would ask for fresh ones.
 */
export function assertUsable(response: IssueCredentialsResponse): IssueCredentialsResponse {
  const { grant, expireTime, refreshTime } = response;
  if (grant.case === undefined) throw unusable('no grant');
  if (grant.case === 'unrestricted') return response;
  const { accountToken, fromToken, toToken, realm } = grant.value;
  if (accountToken === '' || fromToken === '' || toToken === '' || realm === '')
    throw unusable('an empty token or realm');
  if (!expireTime || !refreshTime) throw unusable('no expiry or refresh time');
  return response;
}

function unusable(what: string): CallpassError {
  return new CallpassError(`the service answered with ${what}`, { code: status.INTERNAL });
}

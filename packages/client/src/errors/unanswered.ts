import type { RpcError } from '@callpass/grpc-kit/client';
import { type TransportFault, transportFaultOf } from '@callpass/telemetry';
import { status } from '@grpc/grpc-js';

/** Found by this client itself, which says since when. */
const OWN_FAULT = 'CLIENT_CERT_HAS_EXPIRED';

/** Faults of the transport: what it found, and what to do next. */
const FAULTS: Readonly<Record<Exclude<TransportFault, typeof OWN_FAULT>, string>> = {
  CERT_HAS_EXPIRED: 'its certificate has expired; renew it there',
  CERT_NOT_YET_VALID: 'its certificate is not valid yet; compare the clocks of both machines',
  SELF_SIGNED_CERT_IN_CHAIN:
    'its certificate is of an authority that is not trusted here; name that authority (ca)',
  DEPTH_ZERO_SELF_SIGNED_CERT:
    'its certificate is self-signed; name it as the authority (ca) if it is the right one',
  UNABLE_TO_GET_ISSUER_CERT_LOCALLY:
    'its certificate is of an authority that is not trusted here; name that authority (ca)',
  UNABLE_TO_VERIFY_LEAF_SIGNATURE:
    'its certificate comes without those between it and an authority; have the service send the whole chain',
  ERR_TLS_CERT_ALTNAME_INVALID: 'its certificate is for other names; use one of them as address',
  ENOTFOUND: 'the name has no address; correct it, or see that this machine can resolve it',
  ECONNREFUSED: 'nothing listens there; see that the service runs, and that host and port are right',
  ECONNRESET: 'the connection was closed; see that both sides use TLS or neither does, and try again',
  EHOSTUNREACH: 'there is no way to that machine; see that it runs, and that no firewall is between',
  ENETUNREACH: 'there is no way to that network; see the routes of this machine',
  ETIMEDOUT: 'the connection was not taken in time; see that no firewall is between',
};

/**
 * Sentence about a call that has no answer of the service itself: what could not be reached, why, and what to do next. The text of
 * the transport is for its developers, and may name anything.
 */
export function describeUnanswered(error: RpcError, address: string): string {
  const { code } = error;
  if (code !== status.UNAVAILABLE && code !== status.DEADLINE_EXCEEDED)
    return `${address} has answered ${status[code]} without a reason, which this service never does; see that it is the right address, and what stands before it`;
  const fault = transportFaultOf(error);
  if (fault !== undefined)
    return `no answer from ${address}: ${fault === OWN_FAULT ? error.message : FAULTS[fault]}`;
  return code === status.DEADLINE_EXCEEDED
    ? `no answer from ${address} within the time limit; try again, or allow more time if it is short`
    : `no answer from ${address}: there is no connection to it; see that the service runs, and that both sides use TLS or neither does`;
}

/**
 * What a transport says when it cannot reach a service, and the name under which that is recorded: Node's code of the error
 * where it has one. The first that fits holds, so the longer of two texts comes first.
 */
const FAULTS = [
  ['CLIENT_CERT_HAS_EXPIRED', "this client's certificate has expired"],
  ['CERT_HAS_EXPIRED', 'certificate has expired'],
  ['CERT_NOT_YET_VALID', 'certificate is not yet valid'],
  ['SELF_SIGNED_CERT_IN_CHAIN', 'self-signed certificate in certificate chain'],
  ['DEPTH_ZERO_SELF_SIGNED_CERT', 'self-signed certificate'],
  ['UNABLE_TO_GET_ISSUER_CERT_LOCALLY', 'unable to get local issuer certificate'],
  ['UNABLE_TO_VERIFY_LEAF_SIGNATURE', 'unable to verify the first certificate'],
  ['ERR_TLS_CERT_ALTNAME_INVALID', "does not match certificate's altnames"],
  ['ENOTFOUND', 'Name resolution failed'],
  ['ECONNREFUSED', 'ECONNREFUSED'],
  ['ECONNRESET', 'ECONNRESET'],
  ['EHOSTUNREACH', 'EHOSTUNREACH'],
  ['ENETUNREACH', 'ENETUNREACH'],
  ['ETIMEDOUT', 'ETIMEDOUT'],
] as const;

/** A name under which a fault of the transport is recorded. */
export type TransportFault = (typeof FAULTS)[number][0];

/**
 * Which fault of the transport an error tells of, or `undefined`. Only the name leaves this function: the text may hold
 * anything.
 */
export function transportFaultOf(error: unknown): TransportFault | undefined {
  const text = error instanceof Error ? error.message : '';
  return FAULTS.find(([, said]) => text.includes(said))?.[0];
}

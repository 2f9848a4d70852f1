/**
 * Faults of a transport that cannot reach a service: the recorded name, which is Node's error code if there is one, and the
 * text of the error. The first match counts, so of two similar texts the longer one comes first.
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

/** Name of a transport fault. */
export type TransportFault = (typeof FAULTS)[number][0];

/**
 * Finds the transport fault of an error, or `undefined`. Returns only the name, since the text may contain anything.
 */
export function transportFaultOf(error: unknown): TransportFault | undefined {
  const text = error instanceof Error ? error.message : '';
  return FAULTS.find(([, said]) => text.includes(said))?.[0];
}

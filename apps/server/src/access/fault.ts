import { Refusal } from '../errors/refusal.ts';

/**
 * Why nobody was recognised, with what is told. What was presented and names no client has one text, whatever it was, so that
 * nobody can find out which identities exist.
 */
const FAULTS = {
  NOTHING_PRESENTED:
    'nothing was presented: this service wants a client certificate or a bearer token (to try it out on one machine, see the setting access.local)',
  UNKNOWN: 'no client is recognised by what was presented',
  CERTIFICATE_UNTRUSTED: 'the client certificate is not of an authority that is trusted here',
  CERTIFICATE_NOT_VALID_NOW: 'the client certificate has expired or is not valid yet',
  CERTIFICATE_AMBIGUOUS: 'the names in the client certificate belong to several clients',
  TOKEN_MALFORMED: 'the metadata "authorization" is not one "Bearer TOKEN"',
  TOKEN_TOO_LONG: 'the bearer token is too long',
  TOKEN_EXPIRED: 'the bearer token has expired',
  TOKEN_NOT_ACCEPTED:
    'the bearer token is not accepted: its issuer, audience, algorithm, times, key or signature is not what is expected here',
  TOKEN_KEYS_UNAVAILABLE: 'the bearer token cannot be verified: the keys of its issuer are out of reach',
  DIFFERENT_CLIENTS: 'the client certificate and the bearer token belong to different clients',
} as const;

/** A row of the table. */
export type AuthenticationFault = keyof typeof FAULTS;

/** Nobody was recognised. */
export class AuthenticationRefusal extends Refusal {
  readonly fault: AuthenticationFault;

  constructor(fault: AuthenticationFault, cause?: unknown) {
    super('CLIENT_UNKNOWN', {
      message: FAULTS[fault],
      metadata: { fault },
      rule: `authentication ${fault}`,
      ...(cause === undefined ? {} : { cause }),
    });
    this.fault = fault;
  }
}

import { Refusal } from '../errors/refusal.ts';

/**
 * Why nobody was recognised, with what is told. What was presented and names no client has one text, whatever it was, so that
 * nobody can find out which identities exist.
 */
const FAULTS = {
  NOTHING_PRESENTED:
    'nothing was presented: this service wants a client certificate or a bearer token (to try it out on one machine, see the setting access.local)',
  UNKNOWN:
    'no client is recognised by what was presented; an operator can add it to the identities of a client',
  CERTIFICATE_UNTRUSTED:
    'the client certificate is not of an authority that is trusted here; use one of the authority in the setting tls.clientCaFile',
  CERTIFICATE_NOT_VALID_NOW:
    'the client certificate has expired or is not valid yet; renew it, or compare the clocks',
  CERTIFICATE_AMBIGUOUS:
    'the names in the client certificate belong to several clients; an operator keeps each name with one client',
  TOKEN_MALFORMED: 'the metadata "authorization" is not one "Bearer TOKEN"; send it once and in this form',
  TOKEN_TOO_LONG: 'the bearer token is too long; use one of at most 8 KiB',
  TOKEN_EXPIRED: 'the bearer token has expired; get a new one from its issuer',
  TOKEN_NOT_ACCEPTED:
    'the bearer token is not accepted: compare its issuer, audience, algorithm, times, key and signature with the setting identity.jwt',
  TOKEN_KEYS_UNAVAILABLE:
    'the bearer token cannot be verified: the keys of its issuer are out of reach; try again, and look at the log if it stays so',
  DIFFERENT_CLIENTS:
    'the client certificate and the bearer token belong to different clients; present one of them, or two of the same client',
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

import type { Identity } from './configuration.ts';

/** One text for identities that prove the same, to look them up by: DNS names and hexadecimal digits have no case. */
export function identityKey(identity: Identity): string {
  switch (identity.kind) {
    case 'jwt':
      return JSON.stringify([identity.kind, identity.issuer, identity.subject]);
    case 'dnsName':
    case 'tokenSha256':
      return JSON.stringify([identity.kind, identity.value.toLowerCase()]);
    case 'spiffeId':
    case 'commonName':
      return JSON.stringify([identity.kind, identity.value]);
  }
}

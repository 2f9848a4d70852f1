import type { Role } from '@callpass/domain';

/** Who asks: the client that was recognised and what it may do. */
export interface Principal {
  /** Name in the ledger, limits and traces. */
  readonly client: string;
  readonly roles: ReadonlySet<Role>;
}

/**
 * Whoever can connect over loopback without TLS. Such a listener is for one machine whose every user is trusted, so this
 * one may do everything; the server refuses to listen like that on any other address.
 */
export const LOCAL_PRINCIPAL: Principal = Object.freeze({
  client: 'local',
  roles: new Set<Role>(['ISSUER', 'VALIDATOR', 'OPERATOR', 'AUDITOR']),
});

/** Whether it may know what exists. For others a missing thing and a forbidden one look the same. */
export function seesEverything(principal: Principal): boolean {
  return principal.roles.has('OPERATOR');
}

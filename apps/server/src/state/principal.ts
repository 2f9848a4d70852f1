import type { Role, Scope } from '@callpass/domain';

/** The client that was recognised and what it may do. Nothing is allowed that is not in here. */
export interface Principal {
  /** Name in the ledger, limits and traces. */
  readonly client: string;
  readonly roles: ReadonlySet<Role>;
  /** Destinations that ISSUER holds for. */
  readonly destinations: Scope;
  /** Realms that VALIDATOR holds for. */
  readonly realms: Scope;
}

/**
 * Principal of whoever connects over loopback in plain text and presents nothing, where `access.local` says so. Such a
 * listener is for one machine whose every user is trusted, so this one may do everything.
 */
export const LOCAL_PRINCIPAL: Principal = Object.freeze({
  client: 'local',
  roles: new Set<Role>(['ISSUER', 'VALIDATOR', 'OPERATOR', 'AUDITOR']),
  destinations: 'ALL',
  realms: 'ALL',
});

/** Tests that it may know what exists. For others a missing thing and a forbidden one look the same. */
export function seesEverything(principal: Principal): boolean {
  return principal.roles.has('OPERATOR');
}

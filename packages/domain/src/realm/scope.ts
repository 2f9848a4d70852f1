import type { Grant, Role } from './configuration.ts';

/** Names that a role holds for. */
export type Scope = 'ALL' | ReadonlySet<string>;

const ALL = '*';

/** The scope that holds for nothing. */
export const NOWHERE: Scope = new Set<string>();

/** Tests that a scope holds for a name. */
export function covers(scope: Scope, name: string): boolean {
  return scope === 'ALL' || scope.has(name);
}

/** The names that a role holds for by all of a client's grants. */
export function grantedScope(grants: readonly Grant[], role: Role, of: 'destinations' | 'realms'): Scope {
  const names = new Set(grants.filter((grant) => grant.role === role).flatMap((grant) => grant[of]));
  return names.has(ALL) ? 'ALL' : names;
}

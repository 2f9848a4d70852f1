import type { Clock, CompiledDestination, KeyedHash } from '@callpass/domain';
import { Refusal } from '../errors/refusal.ts';
import type { ServerHealth } from '../health/health-of.ts';
import type { Principal } from '../state/principal.ts';
import type { Snapshot } from '../state/snapshot.ts';
import { assertNotFrozen, encryptionOf, freezeOf } from './decide.ts';
import { Visitor } from './visitor.ts';

/** Ports that a check of issuing needs. All that it asks them is in memory. */
export interface CheckIssuingDependencies {
  readonly state: { readonly snapshot: Snapshot };
  readonly clock: Clock;
  readonly keyedHash: KeyedHash;
  /** State of the things that the server works with, as of the last look. */
  readonly health: { readonly current: Pick<ServerHealth, 'issuingFault'> };
}

/**
 * Checks that a client may issue for at least one destination now, and that the server can. Rules of single requests (hours,
 * callees, limits, a destination that is switched off) do not count: such a request gets its own answer.
 *
 * @throws {Refusal} with the reason that an issue would have. It is not recorded.
 */
export function checkIssuing(
  { state, clock, keyedHash, health }: CheckIssuingDependencies,
  principal: Principal,
): void {
  const { snapshot } = state;
  const asked = { visitor: new Visitor(principal.client, '', keyedHash), nowMs: clock.now() };
  const scopeOf = ({ destination: { id, realm } }: CompiledDestination) => ({ destination: id, realm });
  let first: CompiledDestination | undefined;
  let possible = false;
  // There may be many, so nothing is thrown for each.
  for (const compiled of granted(snapshot, principal)) {
    const { realm } = compiled.destination;
    const hasKey = realm === undefined || snapshot.realms.get(realm)?.active !== undefined;
    possible = hasKey && freezeOf(snapshot, scopeOf(compiled), asked) === undefined;
    if (possible) break;
    first ??= compiled;
  }
  if (!possible) {
    if (first === undefined) throw new Refusal('CLIENT_NOT_GRANTED', { rule: 'grant' });
    assertNotFrozen(snapshot, scopeOf(first), asked);
    encryptionOf(snapshot, first);
  }
  const { issuingFault } = health.current;
  if (issuingFault !== undefined) throw new Refusal(issuingFault, { rule: 'health' });
}

/** Destinations that exist and that the client may issue for. */
function* granted({ destinations }: Snapshot, principal: Principal): IterableIterator<CompiledDestination> {
  if (principal.destinations === 'ALL') {
    yield* destinations.values();
    return;
  }
  for (const id of principal.destinations) {
    const compiled = destinations.get(id);
    if (compiled !== undefined) yield compiled;
  }
}

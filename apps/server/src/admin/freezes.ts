import {
  frozenClientRule,
  type EntryDraft,
  type Freeze,
  type FreezeScope,
  type KeyedHash,
} from '@callpass/domain';
import { traceId } from '@callpass/telemetry';
import { invalidField, Refusal } from '../errors/refusal.ts';
import { LOCAL_PRINCIPAL, type Principal } from '../state/principal.ts';
import type { Snapshot } from '../state/snapshot.ts';
import { loadWiped } from '../state/load-wiped.ts';
import type { AdminDependencies } from './configuration.ts';

/** A scope as an operator names it: a visitor either in clear or by the hash that the ledger shows. */
export interface NamedScope {
  readonly case: 'realm' | 'destination' | 'client' | 'subject' | 'subjectHash';
  readonly value: string;
}

/** The scope as it is kept: a visitor only as a keyed hash. */
export function scopeOf(named: NamedScope, keyedHash: KeyedHash): FreezeScope {
  switch (named.case) {
    case 'realm':
      return { kind: 'REALM', value: named.value };
    case 'destination':
      return { kind: 'DESTINATION', value: named.value };
    case 'client':
      return { kind: 'CLIENT', value: named.value };
    case 'subject':
      return { kind: 'SUBJECT', value: keyedHash.subject(named.value) };
    case 'subjectHash':
      return { kind: 'SUBJECT', value: named.value };
  }
}

/**
 * Stops a scope, in force here at once and everywhere after the poll interval. Freezing again replaces reason and end.
 *
 * @throws {Refusal} for a realm, destination or client that does not exist, since a slip of the pen in an emergency must not
 * look like success; `REQUEST_INVALID` for an end that is over.
 */
export async function freeze(
  dependencies: AdminDependencies,
  principal: Principal,
  request: { scope: FreezeScope; reason: string; untilMs: number | undefined },
): Promise<Freeze> {
  const nowMs = dependencies.clock.now();
  if (request.untilMs !== undefined && request.untilMs <= nowMs)
    throw invalidField('until', 'is over already');
  if (request.scope.kind !== 'SUBJECT') {
    await dependencies.state.reload();
    assertExists(dependencies.state.snapshot, request.scope);
  }
  const frozen: Freeze = {
    scope: request.scope,
    reason: request.reason,
    freezeTimeMs: nowMs,
    untilMs: request.untilMs,
    frozenBy: principal.client,
  };
  await dependencies.store.record(entry(dependencies, principal, request.scope, request.reason, 'FROZEN'), {
    change: { kind: 'freeze', freeze: frozen },
  });
  await dependencies.state.reload();
  return frozen;
}

function assertExists({ realms, destinations, configuration }: Snapshot, { kind, value }: FreezeScope): void {
  const isClient = () =>
    value === LOCAL_PRINCIPAL.client || configuration.clients.some(({ name }) => name === value);
  switch (kind) {
    case 'REALM':
      if (!realms.has(value)) throw new Refusal('REALM_UNKNOWN');
      return;
    case 'DESTINATION':
      if (!destinations.has(value)) throw new Refusal('DESTINATION_UNKNOWN');
      return;
    case 'CLIENT':
      if (!isClient()) throw invalidField('scope.client', 'is no client of the configuration');
      return;
    case 'SUBJECT':
      // Any visitor can be frozen: the service has no list of them.
      return;
  }
}

/**
 * Lifts a freeze.
 *
 * @throws {Refusal} `FREEZE_UNKNOWN` where nothing is frozen under the scope.
 */
export async function unfreeze(
  dependencies: AdminDependencies,
  principal: Principal,
  scope: FreezeScope,
): Promise<void> {
  const outcome = await dependencies.store.record(entry(dependencies, principal, scope, '', 'UNFROZEN'), {
    change: { kind: 'unfreeze', scope },
  });
  if (outcome.outcome === 'freezeUnknown') throw new Refusal('FREEZE_UNKNOWN');
  await dependencies.state.reload();
}

/** The freezes in force, newest first. */
export async function listFreezes(dependencies: AdminDependencies): Promise<readonly Freeze[]> {
  const { freezes } = await loadWiped(dependencies.store);
  const nowMs = dependencies.clock.now();
  return freezes
    .filter(({ untilMs }) => untilMs === undefined || nowMs < untilMs)
    .sort((a, b) => b.freezeTimeMs - a.freezeTimeMs);
}

function entry(
  dependencies: AdminDependencies,
  principal: Principal,
  scope: FreezeScope,
  reason: string,
  kind: 'FROZEN' | 'UNFROZEN',
) {
  return {
    kind,
    timeMs: dependencies.clock.now(),
    client: principal.client,
    ...fieldOf(scope),
    reason,
    configurationRevision: dependencies.state.snapshot.revision,
    traceId: traceId() ?? '',
  };
}

/** The field of an entry that holds the scope. */
function fieldOf({ kind, value }: FreezeScope): Partial<EntryDraft> {
  switch (kind) {
    case 'REALM':
      return { realm: value };
    case 'DESTINATION':
      return { destination: value };
    case 'SUBJECT':
      return { visitor: { hash: value } };
    case 'CLIENT':
      // The client field is for the client that acted.
      return { rule: frozenClientRule(value) };
  }
}

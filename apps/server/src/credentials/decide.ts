import { covers, moderate, type CompiledDestination, type Freeze, type Realm } from '@callpass/domain';
import { Refusal } from '../errors/refusal.ts';
import { seesEverything, type Principal } from '../state/principal.ts';
import type { Staleness } from '../state/current-state.ts';
import type { Snapshot, SnapshotKey } from '../state/snapshot.ts';
import type { Visitor } from './visitor.ts';

/** The state in force, and the cause for which it is not the newest of the store. */
export interface FollowedState {
  readonly snapshot: Snapshot;
  readonly staleness: Staleness | undefined;
}

const STALE_TEXTS: Readonly<Record<Staleness, string>> = {
  TOO_OLD: 'the store has not confirmed the state of this server for too long, so nothing is issued',
  SEALED_ANEW:
    'the store was sealed under another key-encryption key than this server has, so nothing is issued',
  UNREADABLE: 'the store has a newer state that this server cannot read, so nothing is issued',
};

/**
 * Refuses by a state that may miss a freeze or a key.
 *
 * @throws {Refusal} `SNAPSHOT_STALE`.
 */
export function assertNewest({ staleness: cause }: FollowedState): void {
  if (cause) throw new Refusal('SNAPSHOT_STALE', { message: STALE_TEXTS[cause], metadata: { cause } });
}

/** The part of a request that rules look at. Texts left out are empty. */
export interface AskedFor {
  readonly subject: string;
  readonly callee: string;
  readonly caller: string;
}

/** The realm and key that encrypt the tokens of a destination. */
export interface Encryption {
  readonly realm: Realm;
  readonly key: SnapshotKey;
}

/**
 * The destination, if the client may issue for it. Asked before anything else, so that a missing destination and a forbidden
 * one take the same way.
 *
 * @throws {Refusal}
 */
export function grantedDestination(
  snapshot: Snapshot,
  principal: Principal,
  id: string,
): CompiledDestination {
  const compiled = covers(principal.destinations, id) ? snapshot.destinations.get(id) : undefined;
  if (compiled) return compiled;
  const reason =
    seesEverything(principal) && !snapshot.destinations.has(id)
      ? 'DESTINATION_UNKNOWN'
      : 'CLIENT_NOT_GRANTED';
  throw new Refusal(reason, { rule: 'grant' });
}

/** A request with its visitor and time. */
export interface Asked {
  readonly request: AskedFor;
  readonly visitor: Visitor;
  readonly nowMs: number;
}

/** Scope of what is issued. `realm` is that of the tokens: of the destination, or of an answer that was given before. */
export interface IssueScope {
  readonly destination: string;
  readonly realm: string | undefined;
}

/** The freeze that stops an issue; `undefined` where none does. */
export function freezeOf(
  { freezes }: Snapshot,
  { destination, realm }: IssueScope,
  { visitor, nowMs }: Pick<Asked, 'visitor' | 'nowMs'>,
): Freeze | undefined {
  return freezes.find(
    {
      realm,
      destination,
      client: visitor.client,
      subjectHash: freezes.hasSubjects ? visitor.subjectHash : undefined,
    },
    nowMs,
  );
}

/**
 * Refuses what is frozen.
 *
 * @throws {Refusal} `FROZEN`.
 */
export function assertNotFrozen(
  snapshot: Snapshot,
  scope: IssueScope,
  asked: Pick<Asked, 'visitor' | 'nowMs'>,
): void {
  const freeze = freezeOf(snapshot, scope, asked);
  if (freeze) throw new Refusal('FROZEN', { rule: `freeze ${freeze.scope.kind}` });
}

/**
 * Freezes and the destination's rules: who calls whom.
 *
 * @throws {Refusal} that says why not, and by which rule.
 */
export function decide(
  snapshot: Snapshot,
  compiled: CompiledDestination,
  asked: Asked,
): { callee: string; caller: string } {
  const { request, nowMs } = asked;
  const { id, realm } = compiled.destination;
  assertNotFrozen(snapshot, { destination: id, realm }, asked);
  const decision = moderate(compiled, {
    callee: request.callee,
    caller: request.caller,
    subject: request.subject,
    nowMs,
  });
  if (decision.allow) return decision;
  if (decision.opensAtMs === undefined) throw new Refusal(decision.reason, { rule: decision.rule });
  const opensAt = new Date(decision.opensAtMs).toISOString();
  throw new Refusal(decision.reason, {
    rule: decision.rule,
    message: `the destination is closed at this time; it opens at ${opensAt}`,
    metadata: { opensAt },
    retryAfterMs: decision.opensAtMs - nowMs,
  });
}

/**
 * The realm and key that encrypt for a destination; `undefined` for unrestricted calls.
 *
 * @throws {Refusal} `KEY_NOT_ACTIVE`.
 */
export function encryptionOf(snapshot: Snapshot, compiled: CompiledDestination): Encryption | undefined {
  const name = compiled.destination.realm;
  if (name === undefined) return undefined;
  const realm = snapshot.realms.get(name);
  if (!realm?.active) throw new Refusal('KEY_NOT_ACTIVE', { rule: 'realm', metadata: { realm: name } });
  return { realm: realm.realm, key: realm.active };
}

/**
 * Refuses to give out tokens once more whose key was destroyed since: they are valid nowhere.
 *
 * @throws {Refusal} `KEY_NOT_ACTIVE`.
 */
export function assertKeyExists(
  { realms }: Snapshot,
  { realm, version }: { readonly realm: string; readonly version: number },
): void {
  if (realms.get(realm)?.keys.some((key) => key.version === version)) return;
  throw new Refusal('KEY_NOT_ACTIVE', {
    rule: 'requestId',
    message: 'the key of the answer to this request id was destroyed; ask again with another request id',
    metadata: { realm },
  });
}

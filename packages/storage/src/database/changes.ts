import { StoreError, type KeyMove, type RecordOutcome, type StateChange } from '@callpass/domain';
import { sql, type Kysely } from 'kysely';
import type { RemovalStep } from './removal.ts';
import type { Tables } from '../schema/tables.ts';
import { realmKeyPlace } from '../seal/places.ts';
import type { Sealer } from '../seal/sealer.ts';

/** A change of the state that the snapshot is made of: everything but a remembered answer. */
export type SnapshotChange = Exclude<StateChange, { kind: 'rememberAnswer' }>;

/** Outcome of one record of a commit. `failed` concerns that record alone; the text is for the log. */
export type ItemOutcome =
  | RecordOutcome
  | { readonly outcome: 'recorded'; readonly removal: RemovalStep }
  | { readonly outcome: 'failed'; readonly cause: string };

const RECORDED: RecordOutcome = { outcome: 'recorded' };

/**
 * Makes one change inside the commit's transaction. A conflict or a fault undoes this change alone, so that one
 * operator's call never takes others' grants with it.
 */
export async function attemptAlone(
  transaction: Kysely<Tables>,
  change: () => Promise<ItemOutcome>,
): Promise<ItemOutcome> {
  await sql`savepoint one_change`.execute(transaction);
  let outcome: ItemOutcome;
  try {
    outcome = await change();
  } catch (error) {
    outcome = { outcome: 'failed', cause: error instanceof Error ? error.message : String(error) };
  }
  if (outcome.outcome !== 'recorded') await sql`rollback to savepoint one_change`.execute(transaction);
  await sql`release savepoint one_change`.execute(transaction);
  return outcome;
}

/** Makes a change of state, or says what is in its way: then the caller undoes what it did. */
export async function applyChange(
  transaction: Kysely<Tables>,
  change: SnapshotChange,
  sealer: Sealer,
): Promise<RecordOutcome> {
  // Taken first, this row's lock puts the changes of all instances in one order.
  await transaction
    .updateTable('state')
    .set((eb) => ({ version: eb('version', '+', 1) }))
    .execute();
  switch (change.kind) {
    case 'applyConfiguration':
      return applyConfiguration(transaction, change);
    case 'addKey':
      return addKey(transaction, change, sealer);
    case 'moveKeys':
      return moveKeys(transaction, change.moves);
    case 'freeze':
      return freeze(transaction, change.freeze);
    case 'unfreeze':
      return unfreeze(transaction, change.scope);
  }
}

type ChangeOf<K extends SnapshotChange['kind']> = Extract<SnapshotChange, { kind: K }>;

async function applyConfiguration(
  transaction: Kysely<Tables>,
  change: ChangeOf<'applyConfiguration'>,
): Promise<RecordOutcome> {
  const { current } = await transaction
    .selectFrom('revisions')
    .select((eb) => eb.fn.max('revision').as('current'))
    .executeTakeFirstOrThrow();
  const currentRevision = current ?? 0;
  if (currentRevision !== change.expectedRevision) return { outcome: 'revisionConflict', currentRevision };
  await transaction
    .insertInto('revisions')
    .values({
      revision: currentRevision + 1,
      document: change.document,
      apply_time_ms: change.applyTimeMs,
      applied_by: change.appliedBy,
    })
    .execute();
  return RECORDED;
}

async function addKey(
  transaction: Kysely<Tables>,
  change: ChangeOf<'addKey'>,
  sealer: Sealer,
): Promise<RecordOutcome> {
  const { newest } = await transaction
    .selectFrom('realm_keys')
    .select((eb) => eb.fn.max('version').as('newest'))
    .where('realm', '=', change.realm)
    .executeTakeFirstOrThrow();
  if (change.version !== (newest ?? 0) + 1) return { outcome: 'keyConflict' };
  await transaction
    .insertInto('realm_keys')
    .values({
      realm: change.realm,
      version: change.version,
      state: 'PENDING',
      fingerprint: change.fingerprint,
      create_time_ms: change.createTimeMs,
      activate_time_ms: null,
      retire_time_ms: null,
      destroy_time_ms: null,
      validate_until_ms: null,
      sealed_text: sealer.seal(realmKeyPlace(change), change.keyText),
    })
    .execute();
  return RECORDED;
}

async function moveKeys(transaction: Kysely<Tables>, moves: readonly KeyMove[]): Promise<RecordOutcome> {
  for (const move of moves) {
    const { numUpdatedRows } = await transaction
      .updateTable('realm_keys')
      .set(columnsOf(move))
      .where('realm', '=', move.realm)
      .where('version', '=', move.version)
      .where('state', '=', move.from)
      .executeTakeFirst();
    if (numUpdatedRows !== 1n) return { outcome: 'keyConflict' };
  }
  const twoActive = await transaction
    .selectFrom('realm_keys')
    .select('realm')
    .where('state', '=', 'ACTIVE')
    .groupBy('realm')
    .having((eb) => eb(eb.fn.countAll(), '>', 1))
    .executeTakeFirst();
  return twoActive ? { outcome: 'keyConflict' } : RECORDED;
}

function columnsOf(move: KeyMove) {
  switch (move.to) {
    case 'PENDING':
      throw new StoreError('LEDGER_UNAVAILABLE', 'a key never becomes pending again');
    case 'ACTIVE':
      return { state: move.to, activate_time_ms: move.timeMs };
    case 'RETIRED':
      return {
        state: move.to,
        retire_time_ms: move.timeMs,
        validate_until_ms: move.validateUntilMs ?? null,
      };
    case 'DESTROYED':
      return { state: move.to, destroy_time_ms: move.timeMs, sealed_text: null };
  }
}

async function freeze(
  transaction: Kysely<Tables>,
  { scope, reason, freezeTimeMs, untilMs, frozenBy }: ChangeOf<'freeze'>['freeze'],
): Promise<RecordOutcome> {
  const columns = {
    reason,
    freeze_time_ms: freezeTimeMs,
    until_ms: untilMs ?? null,
    frozen_by: frozenBy,
  };
  await transaction
    .insertInto('freezes')
    .values({ kind: scope.kind, value: scope.value, ...columns })
    .onConflict((conflict) => conflict.columns(['kind', 'value']).doUpdateSet(columns))
    .execute();
  return RECORDED;
}

async function unfreeze(
  transaction: Kysely<Tables>,
  scope: ChangeOf<'unfreeze'>['scope'],
): Promise<RecordOutcome> {
  const { numDeletedRows } = await transaction
    .deleteFrom('freezes')
    .where('kind', '=', scope.kind)
    .where('value', '=', scope.value)
    .executeTakeFirst();
  return numDeletedRows === 0n ? { outcome: 'freezeUnknown' } : RECORDED;
}

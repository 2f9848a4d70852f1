import { StoreError } from '@callpass/domain';
import { freezeThing, realmKeysThing, revisionThing, type StateRecord } from '@callpass/ledger';
import type { Kysely } from 'kysely';
import type { FreezeRow, RealmKeyRow, RevisionRow, StateRow, Tables } from '../schema/tables.ts';
import type { RowLocks } from './database.ts';
import { changeHashOf, digestOf, isSealed, type StateSeal } from './state-seal.ts';

/** Everything that decides, as it was read at one instant, and what of it does not hold. */
export interface SealedState {
  readonly state: StateRow;
  /** `undefined` before the first. */
  readonly revision: RevisionRow | undefined;
  /** Every revision, the newest first, without its document. */
  readonly revisions: readonly Pick<RevisionRow, 'revision' | 'mac'>[];
  /** By realm, newest version first. */
  readonly keys: readonly RealmKeyRow[];
  readonly freezes: readonly FreezeRow[];
  /** In words; empty where all is as this service left it. */
  readonly faults: readonly string[];
}

const NAMED_FAULTS = 3;
const RECORD_ALTERED = 'the record of the state was altered or removed';

/** In the place of a record that somebody has removed. It has no MAC, so it does not hold. */
const NO_STATE: StateRow = {
  id: 1,
  version: 0,
  change_count: 0,
  chain_count: 0,
  forgotten_changes: 0,
  contents: null,
  mac: null,
};

/** Reads and checks everything that decides. `db` must read one instant. */
export async function readSealedState(db: Kysely<Tables>, seal: StateSeal): Promise<SealedState> {
  const state = (await db.selectFrom('state').selectAll().executeTakeFirst()) ?? NO_STATE;
  const revisions = await db
    .selectFrom('revisions')
    .select(['revision', 'mac'])
    .orderBy('revision', 'desc')
    .execute();
  const newest = revisions[0];
  const revision =
    newest &&
    (await db
      .selectFrom('revisions')
      .selectAll()
      .where('revision', '=', newest.revision)
      .executeTakeFirstOrThrow());
  const keys = await db
    .selectFrom('realm_keys')
    .selectAll()
    .orderBy('realm')
    .orderBy('version', 'desc')
    .execute();
  const freezes = await db.selectFrom('freezes').selectAll().orderBy('kind').orderBy('value').execute();
  const rows = { state, revision, revisions, keys, freezes };
  return { ...rows, faults: faultsOf(rows, seal) };
}

function faultsOf(rows: Omit<SealedState, 'faults'>, seal: StateSeal): string[] {
  const { state, revision, revisions, keys, freezes } = rows;
  const faults: string[] = [];
  if (revision !== undefined) faults.push(...revisionFaults(revision, seal));
  for (const key of keys) {
    if (!isSealed(key.mac, seal.ofRealmKey(key)))
      faults.push(`key ${key.version} of realm ${key.realm} was altered or put in`);
    else if ((key.sealed_text === null) !== (key.state === 'DESTROYED'))
      faults.push(`key ${key.version} of realm ${key.realm} is ${key.state} and should not be`);
  }
  for (const row of freezes) {
    if (!isSealed(row.mac, seal.ofFreeze(row)))
      faults.push(`${freezeThing(row.kind, row.value)} was altered or put in`);
  }
  if (!isSealed(state.mac, seal.ofState(state))) faults.push(RECORD_ALTERED);
  else if (!isSealed(state.contents, digestOf([revisions, keys, freezes])))
    faults.push('a revision, a key or a freeze was removed, put in, or put back to what it once was');
  return faults;
}

/** Faults of a whole row of `revisions`. */
export function revisionFaults(row: RevisionRow, seal: StateSeal): string[] {
  return isSealed(row.mac, seal.ofRevision(row))
    ? []
    : [`${revisionThing(row.revision)} was altered or put in`];
}

/** The error of a state that does not hold. Names of things are in it, for the log. */
export function stateAltered(faults: readonly string[]): StoreError {
  const more = faults.length > NAMED_FAULTS ? `; and ${faults.length - NAMED_FAULTS} more` : '';
  const named = faults.slice(0, NAMED_FAULTS).join('; ');
  return new StoreError('STATE_ALTERED', `somebody else has changed the store: ${named}${more}`);
}

/** Throws `STATE_ALTERED` for a state that does not hold. */
export function assertHolds({ faults }: Pick<SealedState, 'faults'>): void {
  if (faults.length > 0) throw stateAltered(faults);
}

/** Locks the record for the rest of a transaction, so that the changes of all instances have one order. */
export async function lockState(transaction: Kysely<Tables>, { wait }: RowLocks): Promise<void> {
  await transaction.selectFrom('state').select('id').modifyEnd(wait).execute();
}

/** Locks the record, reads it alone and throws `STATE_ALTERED` where its counters are not ours. */
export async function lockCounters(
  transaction: Kysely<Tables>,
  seal: StateSeal,
  { wait }: RowLocks,
): Promise<StateRow> {
  const state = await transaction.selectFrom('state').selectAll().modifyEnd(wait).executeTakeFirst();
  if (state === undefined || !isSealed(state.mac, seal.ofState(state))) throw stateAltered([RECORD_ALTERED]);
  return state;
}

/** See `LedgerStore.readStateRecord`: checks old documents too. `db` must read one instant. */
export async function readStateRecord(db: Kysely<Tables>, seal: StateSeal): Promise<StateRecord> {
  const sealed = await readSealedState(db, seal);
  const { state, revisions, keys, freezes } = sealed;
  const faults = [...sealed.faults];
  for (const { revision } of revisions.slice(1)) {
    const row = await db
      .selectFrom('revisions')
      .selectAll()
      .where('revision', '=', revision)
      .executeTakeFirst();
    if (row !== undefined) faults.push(...revisionFaults(row, seal));
  }
  const realms = Map.groupBy(keys, ({ realm }) => realm);
  return {
    faults,
    changeCount: state.change_count,
    forgottenChanges: state.forgotten_changes,
    chainCount: state.chain_count,
    things: [
      ...revisions.map((row) => [revisionThing(row.revision), changeHashOf([row])] as const),
      ...[...realms].map(([realm, rows]) => [realmKeysThing(realm), changeHashOf(rows)] as const),
      ...freezes.map((row) => [freezeThing(row.kind, row.value), changeHashOf([row])] as const),
    ],
  };
}

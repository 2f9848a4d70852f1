import {
  StoreError,
  type KeyMove,
  type RecordOutcome,
  type StateChange,
  type StoreErrorCode,
} from '@callpass/domain';
import type { ChangeMark } from '@callpass/ledger';
import { sql, type Kysely } from 'kysely';
import type { RemovalStep } from './removal.ts';
import type { Tables } from '../schema/tables.ts';
import { realmKeyPlace } from '../seal/places.ts';
import type { Sealer } from '../seal/sealer.ts';
import type { DatabaseDisk, RowLocks } from './database.ts';
import { assertHolds, lockCounters, lockState, readSealedState } from './sealed-state.ts';
import { changeHashOf, readContents, recordState, type StateSeal } from './state-seal.ts';

/** A change of the state that the snapshot is made of: everything but a remembered answer. */
export type SnapshotChange = Exclude<StateChange, { kind: 'rememberAnswer' }>;

/** Outcome of one record of a commit. `failed` concerns that record alone; the text is for the log. */
export type ItemOutcome =
  | RecordOutcome
  | { readonly outcome: 'recorded'; readonly change: ChangeMark }
  | { readonly outcome: 'recorded'; readonly removal: RemovalStep }
  | { readonly outcome: 'failed'; readonly code: StoreErrorCode; readonly cause: string };

/** Rows that a change has made, with their MACs, or what was in its way. */
type Changed =
  readonly { readonly mac: Uint8Array | null }[] | Exclude<RecordOutcome, { outcome: 'recorded' }>;

/** Parts of the store that a change needs. */
export interface ChangeParts {
  readonly sealer: Sealer;
  readonly seal: StateSeal;
  readonly rowLocks: RowLocks;
  readonly disk: DatabaseDisk | undefined;
}

/**
 * Makes one change inside the commit's transaction. A conflict or a fault undoes this change alone, so that one
 * operator's call never takes others' grants with it. A full disk has undone the whole transaction already, and is thrown.
 */
export async function attemptAlone(
  transaction: Kysely<Tables>,
  change: () => Promise<ItemOutcome>,
  disk?: Pick<DatabaseDisk, 'fullness'>,
): Promise<ItemOutcome> {
  await sql`savepoint one_change`.execute(transaction);
  let outcome: ItemOutcome;
  try {
    outcome = await change();
  } catch (error) {
    if (disk?.fullness(error) !== undefined) throw error;
    outcome = {
      outcome: 'failed',
      code: error instanceof StoreError ? error.code : 'LEDGER_UNAVAILABLE',
      cause: error instanceof Error ? error.message : String(error),
    };
  }
  if (outcome.outcome !== 'recorded') await sql`rollback to savepoint one_change`.execute(transaction);
  await sql`release savepoint one_change`.execute(transaction);
  return outcome;
}

/**
 * Changes of the state in one transaction. What is recorded is checked before the first and recorded after the last, since both
 * read every row that decides: changes that come together, such as the freezes of a flood, share them.
 */
export class StateChanges {
  readonly #transaction: Kysely<Tables>;
  readonly #parts: ChangeParts;
  #begun: { readonly changeCount: number } | ItemOutcome | undefined;
  #made = 0;

  constructor(transaction: Kysely<Tables>, parts: ChangeParts) {
    this.#transaction = transaction;
    this.#parts = parts;
  }

  /**
   * Makes a change, or says what is in its way and leaves all as it was. It has failed with `STATE_ALTERED` where the state is
   * not as this service left it, since its record would cover up what was done to it.
   */
  async attempt(change: SnapshotChange): Promise<ItemOutcome> {
    const begun = (this.#begun ??= await this.#begin());
    if ('outcome' in begun) return begun;
    const outcome = await attemptAlone(
      this.#transaction,
      async () => {
        const changed = await make(this.#transaction, change, this.#parts);
        if ('outcome' in changed) return changed;
        const changeNumber = begun.changeCount + this.#made + 1;
        return { outcome: 'recorded', change: { changeNumber, changeHash: changeHashOf(changed) } };
      },
      this.#parts.disk,
    );
    if (outcome.outcome === 'recorded') this.#made++;
    return outcome;
  }

  /** Records the state after the changes that were made; tells whether there were any. */
  async record(): Promise<boolean> {
    if (this.#made === 0) return false;
    const { seal, rowLocks } = this.#parts;
    // Read again: a removal of entries in the same transaction counts in this row too.
    const state = await lockCounters(this.#transaction, seal, rowLocks);
    await recordState(this.#transaction, seal, {
      ...state,
      version: state.version + this.#made,
      change_count: state.change_count + this.#made,
      contents: await readContents(this.#transaction),
    });
    return true;
  }

  /** Outside of the savepoint of a change: what is undone with a savepoint gives back its locks. */
  async #begin(): Promise<{ readonly changeCount: number } | ItemOutcome> {
    let changeCount = 0;
    const checked = await attemptAlone(
      this.#transaction,
      async () => {
        await lockState(this.#transaction, this.#parts.rowLocks);
        const sealed = await readSealedState(this.#transaction, this.#parts.seal);
        assertHolds(sealed);
        changeCount = sealed.state.change_count;
        return { outcome: 'recorded' };
      },
      this.#parts.disk,
    );
    return checked.outcome === 'recorded' ? { changeCount } : checked;
  }
}

function make(
  transaction: Kysely<Tables>,
  change: SnapshotChange,
  { sealer, seal }: ChangeParts,
): Promise<Changed> {
  switch (change.kind) {
    case 'applyConfiguration':
      return applyConfiguration(transaction, change, seal);
    case 'addKey':
      return addKey(transaction, change, { sealer, seal });
    case 'moveKeys':
      return moveKeys(transaction, change.moves, seal);
    case 'freeze':
      return freeze(transaction, change.freeze, seal);
    case 'unfreeze':
      return unfreeze(transaction, change.scope);
  }
}

type ChangeOf<K extends SnapshotChange['kind']> = Extract<SnapshotChange, { kind: K }>;

async function applyConfiguration(
  transaction: Kysely<Tables>,
  change: ChangeOf<'applyConfiguration'>,
  seal: StateSeal,
): Promise<Changed> {
  const { current } = await transaction
    .selectFrom('revisions')
    .select((eb) => eb.fn.max('revision').as('current'))
    .executeTakeFirstOrThrow();
  const currentRevision = current ?? 0;
  if (currentRevision !== change.expectedRevision) return { outcome: 'revisionConflict', currentRevision };
  const row = {
    revision: currentRevision + 1,
    document: change.document,
    apply_time_ms: change.applyTimeMs,
    applied_by: change.appliedBy,
  };
  const mac = seal.ofRevision(row);
  await transaction
    .insertInto('revisions')
    .values({ ...row, mac })
    .execute();
  return [{ mac }];
}

async function addKey(
  transaction: Kysely<Tables>,
  change: ChangeOf<'addKey'>,
  { sealer, seal }: Pick<ChangeParts, 'sealer' | 'seal'>,
): Promise<Changed> {
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
      mac: null,
    })
    .execute();
  return sealRealmKeys(transaction, change.realm, seal);
}

/** Puts the keys of a realm under their MACs. They were checked before the change. */
async function sealRealmKeys(transaction: Kysely<Tables>, realm: string, seal: StateSeal): Promise<Changed> {
  const keys = await transaction.selectFrom('realm_keys').selectAll().where('realm', '=', realm).execute();
  return Promise.all(
    keys.map(async (key) => {
      const mac = seal.ofRealmKey(key);
      await transaction
        .updateTable('realm_keys')
        .set({ mac })
        .where('realm', '=', realm)
        .where('version', '=', key.version)
        .execute();
      return { mac };
    }),
  );
}

async function moveKeys(
  transaction: Kysely<Tables>,
  moves: readonly KeyMove[],
  seal: StateSeal,
): Promise<Changed> {
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
  if (twoActive) return { outcome: 'keyConflict' };
  const realms = new Set(moves.map(({ realm }) => realm));
  const sealed = await Promise.all([...realms].map((realm) => sealRealmKeys(transaction, realm, seal)));
  return sealed.flat() as Changed;
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
  seal: StateSeal,
): Promise<Changed> {
  const place = { kind: scope.kind, value: scope.value };
  const columns = {
    reason,
    freeze_time_ms: freezeTimeMs,
    until_ms: untilMs ?? null,
    frozen_by: frozenBy,
  };
  const mac = seal.ofFreeze({ ...place, ...columns });
  await transaction
    .insertInto('freezes')
    .values({ ...place, ...columns, mac })
    .onConflict((conflict) => conflict.columns(['kind', 'value']).doUpdateSet({ ...columns, mac }))
    .execute();
  return [{ mac }];
}

async function unfreeze(transaction: Kysely<Tables>, scope: ChangeOf<'unfreeze'>['scope']): Promise<Changed> {
  const { numDeletedRows } = await transaction
    .deleteFrom('freezes')
    .where('kind', '=', scope.kind)
    .where('value', '=', scope.value)
    .executeTakeFirst();
  return numDeletedRows === 0n ? { outcome: 'freezeUnknown' } : [];
}

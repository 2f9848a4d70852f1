import type {
  Freeze,
  FreezeScope,
  KeyState,
  LedgerEntry,
  RevisionRecord,
  StoredRealmKey,
  StoredRevision,
  StoredState,
  StoreTimes,
} from '@callpass/domain';
import { ENTRY_KINDS } from '@callpass/domain';
import type { CompiledQuery, Kysely } from 'kysely';
import type { FreezeRow, RealmKeyRow, Tables } from '../schema/tables.ts';
import type { Database } from './database.ts';
import { answerPlace, realmKeyPlace } from '../seal/places.ts';
import type { Sealer } from '../seal/sealer.ts';
import { entryOf, selectEntries, type SelectedEntry } from './entry-rows.ts';
import { assertHolds, revisionFaults, stateAltered, type SealedState } from './sealed-state.ts';
import type { StateSeal } from './state-seal.ts';

/** See `Store.stateVersion`. */
export async function readStateVersion(db: Kysely<Tables>): Promise<number> {
  const state = await db.selectFrom('state').select('version').executeTakeFirst();
  if (state === undefined) throw stateAltered(['the record of the state was removed']);
  return state.version;
}

/** See `Store.readTimes`. */
export async function readTimes(
  database: Pick<Database, 'reads' | 'readClock'>,
  afterMs: number,
): Promise<StoreTimes> {
  const clock = await database.readClock?.();
  const latest = await database.reads
    .selectFrom('ledger')
    .select('time_ms')
    .where('time_ms', '>', afterMs)
    .where('kind', '=', ENTRY_KINDS.ISSUED)
    .orderBy('time_ms', 'desc')
    .limit(1)
    .executeTakeFirst();
  return {
    databaseMs: clock?.nowMs,
    elsewhere: clock?.elsewhere ?? false,
    laterIssueMs: latest?.time_ms,
  };
}

/** See `Store.loadState`. Without a sealer where the store was sealed under another key-encryption key. */
export function storedState(
  { state, revision, keys, freezes }: SealedState,
  sealer: Sealer | undefined,
): StoredState {
  return {
    version: state.version,
    revision: revision && toRevision(revision),
    keys: keys.map((row) => toRealmKey(row, sealer)),
    freezes: freezes.map(toFreeze),
    sealedAnew: sealer === undefined,
  };
}

/** See `Store.getRevision`. */
export async function readRevision(
  db: Kysely<Tables>,
  seal: StateSeal,
  revision: number,
): Promise<StoredRevision | undefined> {
  const row = await db
    .selectFrom('revisions')
    .selectAll()
    .where('revision', '=', revision)
    .executeTakeFirst();
  if (row === undefined) return undefined;
  assertHolds({ faults: revisionFaults(row, seal) });
  return toRevision(row);
}

/** See `Store.listRevisions`. */
export async function readRevisions(
  db: Kysely<Tables>,
  page: { beforeRevision: number; limit: number },
): Promise<readonly RevisionRecord[]> {
  const rows = await db
    .selectFrom('revisions')
    .select(['revision', 'apply_time_ms', 'applied_by'])
    .$if(page.beforeRevision > 0, (query) => query.where('revision', '<', page.beforeRevision))
    .orderBy('revision', 'desc')
    .limit(page.limit)
    .execute();
  return rows.map((row) => ({
    revision: row.revision,
    applyTimeMs: row.apply_time_ms,
    appliedBy: row.applied_by,
  }));
}

/** The query of `Store.findIssued`, built once: it runs for every token that is validated as issued here. */
export class IssuedQuery {
  readonly #db: Kysely<Tables>;
  readonly #query: CompiledQuery<SelectedEntry>;

  constructor(db: Kysely<Tables>) {
    this.#db = db;
    this.#query = selectEntries(db)
      .where('ledger.time_ms', '=', 0)
      .where('ledger.realm', '=', '')
      .where('ledger.kind', '=', ENTRY_KINDS.ISSUED)
      .orderBy('ledger.position')
      .compile();
  }

  async run({ realm, timeMs }: { realm: string; timeMs: number }): Promise<readonly LedgerEntry[]> {
    const parameters = [timeMs, realm, ENTRY_KINDS.ISSUED];
    const { rows } = await this.#db.executeQuery<SelectedEntry>({ ...this.#query, parameters });
    return rows.map(entryOf);
  }
}

/** See `Store.findAnswer`. */
export async function readAnswer(
  db: Kysely<Tables>,
  sealer: Sealer,
  query: { client: string; requestId: string; nowMs: number },
): Promise<{ bodyHash: Uint8Array; answer: Uint8Array } | undefined> {
  const row = await db
    .selectFrom('answers')
    .select(['body_hash', 'sealed_answer'])
    .where('client', '=', query.client)
    .where('request_id', '=', query.requestId)
    .where('expire_time_ms', '>', query.nowMs)
    .executeTakeFirst();
  return row && { bodyHash: row.body_hash, answer: sealer.open(answerPlace(query), row.sealed_answer) };
}

function toRevision(row: Tables['revisions']): StoredRevision {
  return {
    revision: row.revision,
    document: row.document,
    applyTimeMs: row.apply_time_ms,
    appliedBy: row.applied_by,
  };
}

function toRealmKey(row: RealmKeyRow, sealer: Sealer | undefined): StoredRealmKey {
  return {
    realm: row.realm,
    version: row.version,
    state: row.state as KeyState,
    fingerprint: row.fingerprint,
    createTimeMs: row.create_time_ms,
    activateTimeMs: row.activate_time_ms ?? undefined,
    retireTimeMs: row.retire_time_ms ?? undefined,
    destroyTimeMs: row.destroy_time_ms ?? undefined,
    validateUntilMs: row.validate_until_ms ?? undefined,
    keyText: row.sealed_text ? sealer?.open(realmKeyPlace(row), row.sealed_text) : undefined,
  };
}

function toFreeze(row: FreezeRow): Freeze {
  return {
    scope: { kind: row.kind as FreezeScope['kind'], value: row.value },
    reason: row.reason,
    freezeTimeMs: row.freeze_time_ms,
    untilMs: row.until_ms ?? undefined,
    frozenBy: row.frozen_by,
  };
}

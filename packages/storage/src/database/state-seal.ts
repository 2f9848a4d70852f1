import {
  createHash,
  createHmac,
  createSecretKey,
  hkdfSync,
  timingSafeEqual,
  type KeyObject,
} from 'node:crypto';
import { StoreError } from '@callpass/domain';
import type { Kysely } from 'kysely';
import type { FreezeRow, RealmKeyRow, RevisionRow, StateRow, Tables } from '../schema/tables.ts';

/** A row without its MAC. */
export type Unsealed<Row extends { mac: unknown }> = Omit<Row, 'mac'>;

type Content = string | number | Uint8Array | null;

/**
 * Authenticates what decides besides the ledger: HMAC-SHA-256 with keys derived from the ledger secret, one for each table,
 * so that a row is bound to its store, its table and its place.
 *
 * The row of `state` authenticates the set: it holds the digest of all MACs and counters that only grow. So a row that was
 * altered, put in, removed, swapped, or put back to what it once was does not pass. A store that was put back as a whole does.
 */
export class StateSeal {
  readonly #keys: Readonly<Record<'revisions' | 'realm_keys' | 'freezes' | 'state', KeyObject>>;

  constructor(ledgerSecret: Uint8Array) {
    this.#keys = {
      revisions: derive(ledgerSecret, 'revisions'),
      realm_keys: derive(ledgerSecret, 'realm keys'),
      freezes: derive(ledgerSecret, 'freezes'),
      state: derive(ledgerSecret, 'record'),
    };
  }

  /** The MAC of a configuration revision. */
  ofRevision(row: Unsealed<RevisionRow>): Buffer {
    return mac(this.#keys.revisions, [row.revision, row.document, row.apply_time_ms, row.applied_by]);
  }

  /** The MAC of a realm key, with its sealed text. */
  ofRealmKey(row: Unsealed<RealmKeyRow>): Buffer {
    return mac(this.#keys.realm_keys, [
      row.realm,
      row.version,
      row.state,
      row.fingerprint,
      row.create_time_ms,
      row.activate_time_ms,
      row.retire_time_ms,
      row.destroy_time_ms,
      row.validate_until_ms,
      row.sealed_text,
    ]);
  }

  /** The MAC of a freeze. */
  ofFreeze(row: Unsealed<FreezeRow>): Buffer {
    return mac(this.#keys.freezes, [
      row.kind,
      row.value,
      row.reason,
      row.freeze_time_ms,
      row.until_ms,
      row.frozen_by,
    ]);
  }

  /** The MAC of the record of all. */
  ofState(row: Unsealed<StateRow>): Buffer {
    return mac(this.#keys.state, [
      row.version,
      row.change_count,
      row.chain_count,
      row.forgotten_changes,
      row.contents,
    ]);
  }
}

function derive(ledgerSecret: Uint8Array, table: string): KeyObject {
  return createSecretKey(Buffer.from(hkdfSync('sha256', ledgerSecret, '', `callpass state ${table}`, 32)));
}

/** JSON keeps the parts apart, whatever characters they hold; bytes are a list of one. */
function mac(key: KeyObject, content: readonly Content[]): Buffer {
  const parts = content.map((part) =>
    part instanceof Uint8Array ? [Buffer.from(part).toString('hex')] : part,
  );
  return createHmac('sha256', key).update(JSON.stringify(parts)).digest();
}

/** Tells whether a row has the MAC that it should have. */
export function isSealed(recorded: Uint8Array | null, expected: Uint8Array): boolean {
  return recorded !== null && recorded.length === expected.length && timingSafeEqual(recorded, expected);
}

/** The digest of the MACs of the rows of each table, in whatever order they are found. */
export function digestOf(tables: readonly (readonly { mac: Uint8Array | null }[])[]): Buffer {
  const digest = createHash('sha256');
  for (const rows of tables) {
    const macs = rows.map((row) => Buffer.from(row.mac ?? []).toString('hex')).sort();
    digest.update(JSON.stringify(macs));
  }
  return digest.digest();
}

/** The hash that the entry of a change carries: of the MACs of the rows that make up a thing; empty where there are none. */
export function changeHashOf(rows: readonly { mac: Uint8Array | null }[]): string {
  return rows.length === 0 ? '' : digestOf([rows]).toString('hex');
}

/** Version of entries that is written since the state is sealed. */
const SEALED_ENTRIES = 2;

/**
 * Puts a store that was never sealed under its MACs, as it is found. Throws `STATE_ALTERED` where its ledger shows that it was
 * sealed before: then somebody has put the schema back.
 */
export async function sealUnsealedState(db: Kysely<Tables>, ledgerSecret: Uint8Array): Promise<void> {
  const sealedBefore = await db
    .selectFrom('ledger')
    .select('position')
    .where('version', '>=', SEALED_ENTRIES)
    .limit(1)
    .executeTakeFirst();
  if (sealedBefore !== undefined)
    throw new StoreError('STATE_ALTERED', 'the schema was put back: the ledger has entries of a later one');
  const { last } = await db
    .selectFrom('ledger_writers')
    .select((eb) => eb.fn.max('number').as('last'))
    .executeTakeFirstOrThrow();
  const state = await db.selectFrom('state').selectAll().executeTakeFirstOrThrow();
  await sealAnew(db, new StateSeal(ledgerSecret), { ...state, chain_count: last ?? 0 });
}

/** Computes every MAC anew, from the rows as they are, and the record of them. */
export async function sealAnew(
  db: Kysely<Tables>,
  seal: StateSeal,
  state: Unsealed<StateRow>,
): Promise<void> {
  for (const row of await db.selectFrom('revisions').selectAll().execute()) {
    const mac = seal.ofRevision(row);
    await db.updateTable('revisions').set({ mac }).where('revision', '=', row.revision).execute();
  }
  for (const row of await db.selectFrom('realm_keys').selectAll().execute()) {
    const { realm, version } = row;
    const rows = db.updateTable('realm_keys').where('realm', '=', realm).where('version', '=', version);
    await rows.set({ mac: seal.ofRealmKey(row) }).execute();
  }
  for (const row of await db.selectFrom('freezes').selectAll().execute()) {
    const { kind, value } = row;
    const rows = db.updateTable('freezes').where('kind', '=', kind).where('value', '=', value);
    await rows.set({ mac: seal.ofFreeze(row) }).execute();
  }
  await recordState(db, seal, { ...state, contents: await readContents(db) });
}

/** Records a state under its MAC. The caller has checked what was recorded before, and holds its lock. */
export async function recordState(
  db: Kysely<Tables>,
  seal: StateSeal,
  state: Unsealed<StateRow>,
): Promise<void> {
  await db
    .updateTable('state')
    .set({ ...state, mac: seal.ofState(state) })
    .execute();
}

/** The digest of the rows of all tables, as they are now. */
export async function readContents(db: Kysely<Tables>): Promise<Buffer> {
  return digestOf([
    await db.selectFrom('revisions').select('mac').execute(),
    await db.selectFrom('realm_keys').select('mac').execute(),
    await db.selectFrom('freezes').select('mac').execute(),
  ]);
}

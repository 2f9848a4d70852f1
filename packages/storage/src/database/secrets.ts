import { randomBytes } from 'node:crypto';
import { StoreError } from '@callpass/domain';
import type { Kysely } from 'kysely';
import type { Tables } from '../schema/tables.ts';
import { SECRET_PLACES } from '../seal/places.ts';
import type { Sealer } from '../seal/sealer.ts';

const LEDGER_SECRET_BYTES = 32;

/** Secrets of a store, opened. */
export interface Secrets {
  /** 32 bytes, see `Store.ledgerSecret`. */
  readonly ledgerSecret: Uint8Array;
  /** The sealed check value as it lies in the store: another one means another key-encryption key. */
  readonly sealedCheck: Uint8Array;
}

/** Makes the secrets of a new store; leaves those of another alone. */
export async function createSecrets(transaction: Kysely<Tables>, sealer: Sealer): Promise<void> {
  const ledgerSecret = randomBytes(LEDGER_SECRET_BYTES);
  await transaction
    .insertInto('secrets')
    .values([
      { name: 'check', sealed: sealer.seal(SECRET_PLACES.check, Buffer.from('callpass')) },
      { name: 'ledger', sealed: sealer.seal(SECRET_PLACES.ledger, ledgerSecret) },
    ])
    .onConflict((conflict) => conflict.column('name').doNothing())
    .execute();
  ledgerSecret.fill(0);
}

/** Opens the secrets. Throws `SEAL_KEY_WRONG` when this is not the key-encryption key of the store. */
export async function openSecrets(db: Kysely<Tables>, sealer: Sealer): Promise<Secrets> {
  const rows = new Map(
    (await db.selectFrom('secrets').selectAll().execute()).map((row) => [row.name, row.sealed]),
  );
  const sealedCheck = rows.get('check');
  const sealedLedger = rows.get('ledger');
  if (sealedCheck === undefined || sealedLedger === undefined) {
    throw new StoreError('SCHEMA_OUTDATED', 'the store has no secrets yet: run migrate');
  }
  sealer.open(SECRET_PLACES.check, sealedCheck);
  return { sealedCheck, ledgerSecret: sealer.open(SECRET_PLACES.ledger, sealedLedger) };
}

/** Tests that the store was not sealed anew since its secrets were opened. */
export async function isSameSeal(db: Kysely<Tables>, sealedCheck: Uint8Array): Promise<boolean> {
  const row = await db.selectFrom('secrets').select('sealed').where('name', '=', 'check').executeTakeFirst();
  return row !== undefined && Buffer.compare(row.sealed, sealedCheck) === 0;
}

/** Throws `SEAL_KEY_WRONG` when the store was sealed anew since: nothing more may be sealed with the former key. */
export async function assertSameSeal(transaction: Kysely<Tables>, sealedCheck: Uint8Array): Promise<void> {
  if (!(await isSameSeal(transaction, sealedCheck))) {
    throw new StoreError('SEAL_KEY_WRONG', 'the store was sealed under another key-encryption key: restart');
  }
}

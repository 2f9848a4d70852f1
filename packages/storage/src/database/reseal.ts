import type { Kysely } from 'kysely';
import type { Tables } from '../schema/tables.ts';
import { SECRET_PLACES, answerPlace, realmKeyPlace } from '../seal/places.ts';
import type { SealPlace, Sealer } from '../seal/sealer.ts';
import type { RowLocks } from './database.ts';
import { assertHolds, lockState, readSealedState } from './sealed-state.ts';
import { openSecrets } from './secrets.ts';
import { sealAnew, StateSeal } from './state-seal.ts';

/**
 * Seals everything in the store anew, from one key-encryption key to another, in the one transaction given. Throws
 * `SEAL_KEY_WRONG` when something does not open with the former key, `STATE_ALTERED` when the state does not hold. The state version rises, so that instances which
 * still run with the former key notice.
 */
export async function resealEverything(
  transaction: Kysely<Tables>,
  { from, to, rowLocks }: { from: Sealer; to: Sealer; rowLocks: RowLocks },
): Promise<number> {
  const { ledgerSecret } = await openSecrets(transaction, from);
  const seal = new StateSeal(ledgerSecret);
  ledgerSecret.fill(0);
  await lockState(transaction, rowLocks);
  const sealed = await readSealedState(transaction, seal);
  assertHolds(sealed);
  let count = 0;
  const again = (place: SealPlace, sealed: Uint8Array): Uint8Array => {
    const plain = from.open(place, sealed);
    const anew = to.seal(place, plain);
    plain.fill(0);
    count++;
    return anew;
  };

  for (const { name, sealed } of await transaction.selectFrom('secrets').selectAll().execute()) {
    await transaction
      .updateTable('secrets')
      .set({ sealed: again(SECRET_PLACES[name as keyof typeof SECRET_PLACES], sealed) })
      .where('name', '=', name)
      .execute();
  }
  for (const row of await transaction.selectFrom('realm_keys').selectAll().execute()) {
    if (row.sealed_text === null) continue;
    await transaction
      .updateTable('realm_keys')
      .set({ sealed_text: again(realmKeyPlace(row), row.sealed_text) })
      .where('realm', '=', row.realm)
      .where('version', '=', row.version)
      .execute();
  }
  for (const row of await transaction.selectFrom('answers').selectAll().execute()) {
    const place = answerPlace({ client: row.client, requestId: row.request_id });
    await transaction
      .updateTable('answers')
      .set({ sealed_answer: again(place, row.sealed_answer) })
      .where('client', '=', row.client)
      .where('request_id', '=', row.request_id)
      .execute();
  }
  await sealAnew(transaction, seal, { ...sealed.state, version: sealed.state.version + 1 });
  return count;
}

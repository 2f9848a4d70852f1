import type { Kysely } from 'kysely';
import type { Tables } from '../schema/tables.ts';
import { SECRET_PLACES, answerPlace, realmKeyPlace } from '../seal/places.ts';
import type { SealPlace, Sealer } from '../seal/sealer.ts';

/**
 * Seals everything in the store anew, from one key-encryption key to another, in the one transaction given. Throws
 * `SEAL_KEY_WRONG` when something does not open with the former key. The state version rises, so that instances which
 * still run with the former key notice.
 */
export async function resealEverything(
  transaction: Kysely<Tables>,
  from: Sealer,
  to: Sealer,
): Promise<number> {
  await transaction
    .updateTable('state')
    .set((eb) => ({ version: eb('version', '+', 1) }))
    .execute();
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
  return count;
}

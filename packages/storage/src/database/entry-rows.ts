import { ENTRY_KINDS, type EntryKind, type LedgerEntry, type TokenFingerprints } from '@callpass/domain';
import type { Selectable } from 'kysely';
import type { LedgerRow } from '../schema/tables.ts';
import type { NewLedgerRow } from './database.ts';

const FINGERPRINT_BYTES = 16;
const KIND_NAMES = new Map(
  Object.entries(ENTRY_KINDS).map(([name, number]) => [number as number, name as EntryKind]),
);

/** The row of an entry. */
export function entryToRow(writer: number, entry: LedgerEntry): NewLedgerRow {
  return {
    writer,
    sequence: entry.sequence,
    kind: ENTRY_KINDS[entry.kind],
    time_ms: entry.timeMs,
    client: entry.client,
    destination: entry.destination,
    realm: entry.realm,
    key_version: entry.keyVersion,
    callee: entry.callee,
    caller: entry.caller,
    subject_hash: entry.subjectHash,
    reason: entry.reason,
    rule: entry.rule,
    configuration_revision: entry.configurationRevision,
    trace_id: entry.traceId,
    issuance_id: entry.issuanceId,
    expire_time_ms: entry.expireTimeMs,
    fingerprints: entry.fingerprints ? joinFingerprints(entry.fingerprints) : null,
    previous_hash: entry.previousHash,
    hash: entry.hash,
  };
}

/** A ledger row with the name of its chain. */
export type NamedLedgerRow = Selectable<LedgerRow> & { writer_id: string };

/**
 * The entry in a row. Whether it was altered is for the chain to tell, not for this: what no entry can hold, an unknown
 * kind among it, is passed on as it is, so that it has no canonical form.
 */
export function rowToEntry(row: NamedLedgerRow): LedgerEntry {
  return {
    writerId: row.writer_id,
    sequence: row.sequence,
    kind: KIND_NAMES.get(row.kind) ?? (`KIND_${row.kind}` as EntryKind),
    timeMs: row.time_ms,
    client: row.client,
    destination: row.destination,
    realm: row.realm,
    keyVersion: row.key_version,
    callee: row.callee,
    caller: row.caller,
    subjectHash: row.subject_hash,
    reason: row.reason,
    rule: row.rule,
    configurationRevision: row.configuration_revision,
    traceId: row.trace_id,
    issuanceId: row.issuance_id,
    expireTimeMs: row.expire_time_ms,
    fingerprints: row.fingerprints ? splitFingerprints(row.fingerprints) : undefined,
    previousHash: row.previous_hash,
    hash: row.hash,
  };
}

/** Account, from and to, one after the other: 48 bytes. */
export function joinFingerprints({ account, from, to }: TokenFingerprints): Uint8Array {
  return Buffer.concat([account, from, to]);
}

/** The reverse of {@link joinFingerprints}. Bytes too many stay with the last, too few leave it short. */
export function splitFingerprints(bytes: Uint8Array): TokenFingerprints {
  return {
    account: bytes.subarray(0, FINGERPRINT_BYTES),
    from: bytes.subarray(FINGERPRINT_BYTES, 2 * FINGERPRINT_BYTES),
    to: bytes.subarray(2 * FINGERPRINT_BYTES),
  };
}

import { LedgerEntry_Kind, LedgerService } from '@callpass/contract';
import { connect, createClient } from '@callpass/grpc-kit';
import { credentials } from '@grpc/grpc-js';

/** Every issuance id in the ledger, how many records of issues there are, and whether the chains hold. */
export async function readLedger(
  address: string,
): Promise<{ issued: Set<string>; issuedRecords: number; intact: boolean; faults: unknown[] }> {
  const connection = connect({
    address,
    credentials: credentials.createInsecure(),
    defaultDeadlineMs: 60_000,
  });
  const ledger = createClient(LedgerService, connection);
  const issued = new Set<string>();
  let issuedRecords = 0;
  let pageToken = '';
  do {
    const page = await ledger.listEntries({ kind: LedgerEntry_Kind.ISSUED, pageSize: 1000, pageToken });
    issuedRecords += page.entries.length;
    for (const { issuanceId } of page.entries) issued.add(issuanceId);
    pageToken = page.nextPageToken;
  } while (pageToken !== '');
  const { intact, faults } = await ledger.verifyLedger({});
  connection.close();
  return { issued, issuedRecords, intact, faults };
}

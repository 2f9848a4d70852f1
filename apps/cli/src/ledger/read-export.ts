import { createReadStream } from 'node:fs';
import { type ExportVerification, type LedgerAnchor, verifyExport } from '@callpass/ledger';
import { describeFault } from '@callpass/program';
import { wrongUse } from '../failure.ts';

const CHUNK_BYTES = 1024 * 1024;

/** Verifies the export in a file, or on stdin for `-`, and compares it with an anchor if there is one. Throws a Failure for a file that cannot be read. */
export function readExport(
  file: string,
  stdin: AsyncIterable<Uint8Array>,
  anchor?: LedgerAnchor,
): Promise<ExportVerification> {
  const chunks = file === '-' ? stdin : createReadStream(file, { highWaterMark: CHUNK_BYTES });
  return verifyExport(chunks, { anchor }).catch((error: NodeJS.ErrnoException) => {
    throw error.code === undefined ? error : wrongUse(`cannot read ${file}: ${describeFault(error)}`);
  });
}

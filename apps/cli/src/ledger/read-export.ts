import { createReadStream } from 'node:fs';
import { type ExportVerification, verifyExport } from '@callpass/ledger';
import { wrongUse } from '../failure.ts';

const CHUNK_BYTES = 1024 * 1024;

/** Verifies the export in a file, or on stdin for `-`. Throws a Failure for a file that cannot be read. */
export function readExport(file: string, stdin: AsyncIterable<Uint8Array>): Promise<ExportVerification> {
  const chunks = file === '-' ? stdin : createReadStream(file, { highWaterMark: CHUNK_BYTES });
  return verifyExport(chunks).catch((error: NodeJS.ErrnoException) => {
    throw error.code === undefined ? error : wrongUse(`cannot read ${file}: ${error.code}`);
  });
}

import { createHash } from 'node:crypto';
import type { CallOptions, LedgerClient } from '@callpass/client';
import {
  bytesOf,
  type ChainHead,
  digestLine,
  entryLine,
  EXPORT_VERSION,
  type ExportedChain,
  faultOf,
  headerLine,
} from '@callpass/ledger';
import { EXIT } from '@callpass/program';
import { Failure } from '../failure.ts';
import { anchorOf, exportedChain } from './anchor-file.ts';
import { entryOf } from './from-message.ts';

/** Summary of an export. */
export interface ExportSummary {
  readonly exportTime: string;
  readonly entryCount: number;
  readonly chains: readonly ExportedChain[];
  /** The digest in the last line. */
  readonly sha256: string;
}

/** Source and target of an export. */
export interface ExportOptions {
  readonly ledger: Pick<LedgerClient, 'verifyLedger' | 'listEntries'>;
  /** Call options of the verification, which reads the whole ledger. */
  readonly patiently: CallOptions;
  readonly signal: AbortSignal;
  readonly write: (bytes: Buffer) => Promise<unknown>;
  readonly onProgress: (written: number, of: number) => void;
}

/** The most that a page of entries may hold. */
const PAGE = 1000;

/**
 * Writes an export of the ledger as it is now: what is written later is left out. Follows the chains itself, so what it has
 * written verifies.
 *
 * Throws a Failure when the ledger is not intact, or was shortened meanwhile.
 */
export async function writeExport(options: ExportOptions): Promise<ExportSummary> {
  const { ledger, signal, write, onProgress } = options;
  const found = await ledger.verifyLedger({}, { ...options.patiently, signal });
  const [fault] = found.faults;
  if (!found.intact) {
    const where = fault ? `: ${placeOf(fault)}${fault.text}` : '';
    throw new Failure(EXIT.failed, { message: `the ledger is not intact${where}` });
  }
  // An older service proves nothing.
  const anchor = found.anchor && anchorOf(found.anchor);
  const exportTime = anchor?.time ?? new Date().toISOString();
  const chains = anchor?.chains ?? found.chains.map(exportedChain);
  const open = new Map(
    chains
      .filter(({ firstSequence, lastSequence }) => firstSequence <= lastSequence)
      .map((chain) => [chain.writerId, { chain, head: beginningOf(chain) }]),
  );
  const total = chains.reduce(
    (sum, { firstSequence, lastSequence }) => sum + lastSequence - firstSequence + 1,
    0,
  );

  const digest = createHash('sha256');
  const writeLines = async (lines: readonly string[]) => {
    const bytes = Buffer.from(lines.map((line) => `${line}\n`).join(''));
    digest.update(bytes);
    await write(bytes);
  };
  await writeLines([headerLine({ version: anchor ? EXPORT_VERSION : 2, exportTime, chains, proof: anchor })]);
  let entryCount = 0;
  let pageToken = '';
  while (open.size > 0) {
    const page = await ledger.listEntries({ pageSize: PAGE, pageToken }, { signal });
    const lines: string[] = [];
    for (const message of page.entries) {
      const progress = open.get(message.writerId);
      if (!progress) continue;
      const entry = entryOf(message);
      const text = faultOf(progress.head, entry);
      if (text !== undefined) throw changed(progress.head, text);
      lines.push(entryLine(entry));
      progress.head = entry;
      if (entry.sequence === progress.chain.lastSequence) open.delete(entry.writerId);
    }
    await writeLines(lines);
    entryCount += lines.length;
    onProgress(entryCount, total);
    pageToken = page.nextPageToken;
    if (pageToken === '') break;
  }
  for (const { head } of open.values()) throw changed(head, 'is missing');
  const sha256 = digest.digest('hex');
  await write(Buffer.from(`${digestLine(sha256)}\n`));
  return { exportTime, entryCount, chains, sha256 };
}

function beginningOf({ writerId, firstSequence, anchorHash }: ExportedChain): ChainHead {
  return { writerId, sequence: firstSequence - 1, hash: bytesOf(anchorHash) };
}

function placeOf({ writerId, sequence }: { writerId: string; sequence: bigint }): string {
  return writerId === '' ? '' : `chain ${writerId}, entry ${sequence} `;
}

function changed({ writerId, sequence }: ChainHead, text: string): Failure {
  const place = `chain ${writerId}, entry ${sequence + 1}: ${text}`;
  return new Failure(EXIT.failed, {
    message: `the ledger is not as it was when the export began (${place}); if entries were removed meanwhile, export again`,
  });
}

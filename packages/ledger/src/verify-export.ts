import { isUtf8 } from 'node:buffer';
import { createHash } from 'node:crypto';
import { anchoredEntry, anchorFaults, type AnchoredEntries, type LedgerAnchor } from './anchor.ts';
import { type ChainHead, faultOf } from './chain.ts';
import type { LedgerEntry } from './entry.ts';
import {
  bytesOf,
  digestLine,
  EXPORT_VERSION,
  type ExportedChain,
  type ExportVersion,
  isDigestLine,
  readEntry,
  readHeader,
} from './export-format.ts';
import type { LedgerFault } from './fault.ts';
import { linesOf } from './lines.ts';

/** The first thing that does not hold. */
export interface ExportFault {
  /** Line of the file, from 1. */
  readonly line: number;
  /** The chain concerned, where there is one. */
  readonly writerId?: string;
  /** The place in it that does not hold. */
  readonly sequence?: number;
  /** The fault, in words. */
  readonly text: string;
}

/** Outcome of verifying an export. */
export interface ExportVerification {
  /** Number of entries that hold. */
  readonly entryCount: number;
  readonly fault?: ExportFault;
  /** As the header has them; empty where it does not hold. */
  readonly chains: readonly ExportedChain[];
  /** Anchor that the header is: for the service to prove. `undefined` where it does not hold, and before version 3. */
  readonly anchor?: LedgerAnchor | undefined;
  /** Entries of each chain that differ from the anchor that was given. */
  readonly differences: readonly LedgerFault[];
}

/** A chain while it is followed. */
interface Progress {
  readonly chain: ExportedChain;
  head: ChainHead;
}

/**
 * Verifies an export by itself: the one spelling of each line, each chain from where the header says it begins to where it says
 * it ends, and the digest over all. Reads it once, in memory of a constant size.
 *
 * Finds any change to an export that was not made in all of it. A file that was made up anew as a whole is self-consistent:
 * only the proof in its header, which the service can check, or an anchor that was kept elsewhere shows that. Never throws
 * on what it reads; passes on errors of reading.
 */
export async function verifyExport(
  chunks: AsyncIterable<Uint8Array>,
  { anchor }: { readonly anchor?: LedgerAnchor | undefined } = {},
): Promise<ExportVerification> {
  const digest = createHash('sha256');
  const chains = new Map<string, Progress>();
  const anchored = anchoredEntry(anchor);
  let header: readonly ExportedChain[] = [];
  let own: LedgerAnchor | undefined;
  let format: ExportVersion = EXPORT_VERSION;
  let number = 0;
  let entryCount = 0;
  let ended = false;
  const found = (fault?: ExportFault): ExportVerification => ({
    entryCount,
    chains: header,
    anchor: own,
    differences: fault || !anchor ? [] : differences(anchor, { own, chains: chains.values(), anchored }),
    ...(fault && { fault }),
  });

  for await (const { bytes, whole } of linesOf(chunks)) {
    number++;
    const fault = (text: string, at: Omit<ExportFault, 'line' | 'text'> = {}) =>
      found({ line: number, ...at, text });
    if (ended) return fault('stands behind the end of the export');
    const line = whole && isUtf8(bytes) ? bytes.toString('utf8', 0, bytes.length - 1) : undefined;
    if (number === 1) {
      const read = line === undefined ? 'is not the header of a ledger export' : readHeader(line);
      if (typeof read === 'string') return fault(read);
      format = read.version;
      header = read.chains;
      own = read.proof && { ...read.proof, time: read.exportTime, chains: read.chains };
      for (const chain of header) chains.set(chain.writerId, { chain, head: anchorOf(chain) });
    } else if (line === undefined) {
      return fault(whole ? 'is not UTF-8' : 'is cut off');
    } else if (isDigestLine(line)) {
      const missing = missingEntry(chains.values());
      if (missing) return found({ line: number, ...missing });
      if (line !== digestLine(digest.digest('hex')))
        return fault('does not have the digest of the lines before');
      ended = true;
      continue;
    } else {
      const entry = readEntry(line, format);
      if (typeof entry === 'string') return fault(entry);
      const { writerId, sequence } = entry;
      const progress = chains.get(writerId);
      if (!progress) return fault('belongs to no chain of the header', { writerId, sequence });
      const broken = brokenLink(progress, entry);
      if (broken) return found({ line: number, writerId, ...broken });
      progress.head = entry;
      anchored.note(entry);
      entryCount++;
    }
    digest.update(bytes);
  }
  if (ended) return found();
  return found({ line: number + 1, ...missingEntry(chains.values()), text: 'the file ends early' });
}

function differences(
  anchor: LedgerAnchor,
  {
    own,
    chains,
    anchored,
  }: { own: LedgerAnchor | undefined; chains: Iterable<Progress>; anchored: AnchoredEntries },
): LedgerFault[] {
  const otherStore = own !== undefined && own.storeId !== anchor.storeId;
  const present = [...chains].map(({ chain, head }) => {
    return { writerId: chain.writerId, anchor: anchorOf(chain), head };
  });
  return [
    ...(otherStore ? [{ writerId: '', sequence: 0, text: 'the anchor is of another store' }] : []),
    ...anchorFaults(anchor, { chains: present, anchored, state: own }),
  ];
}

function anchorOf({ writerId, firstSequence, anchorHash }: ExportedChain): ChainHead {
  return { writerId, sequence: firstSequence - 1, hash: bytesOf(anchorHash) };
}

function brokenLink({ chain, head }: Progress, entry: LedgerEntry) {
  const text = faultOf(head, entry);
  const sequence = head.sequence + 1;
  if (text !== undefined) return { sequence, text };
  return sequence > chain.lastSequence ? { sequence, text: 'stands behind the end of its chain' } : undefined;
}

function missingEntry(chains: Iterable<Progress>): Omit<ExportFault, 'line'> | undefined {
  for (const { chain, head } of chains) {
    const { writerId, lastSequence, lastHash } = chain;
    if (head.sequence < lastSequence) {
      return { writerId, sequence: head.sequence + 1, text: `entry ${head.sequence + 1} is missing` };
    }
    if (Buffer.compare(head.hash, bytesOf(lastHash)) !== 0) {
      return { writerId, sequence: lastSequence, text: 'does not end as the header says' };
    }
  }
  return undefined;
}

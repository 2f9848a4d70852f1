import { createHash } from 'node:crypto';
import { ENTRY_FIELDS, entryFields, type CurrentField, type LedgerEntry } from '../entry.ts';
import { chaining, ENTRY_VERSION, GENESIS_HASH, newChain } from '../chain.ts';
import {
  digestLine,
  EXPORT_VERSION,
  entryLine,
  headerLine,
  hexOf,
  type ExportedChain,
} from '../export-format.ts';

const START_MS = Date.parse('2026-11-25T10:00:00Z');
const print = (fill: number): Uint8Array => new Uint8Array(16).fill(fill % 256);

/** Entries of two writers in turn, as a service of a version would have written them; all kinds of fields filled. */
export function madeUpEntries(
  count: number,
  version = ENTRY_VERSION,
  callee = 'support@kandy.example',
): LedgerEntry[] {
  const { linkEntry } = chaining<CurrentField>(ENTRY_FIELDS.filter(({ since }) => since <= version));
  const heads = [newChain('writer-a'), newChain('writer-b')];
  return Array.from({ length: count }, (_, index) => {
    const writer = index % heads.length;
    const head = heads[writer] ?? newChain('writer-a');
    const timeMs = START_MS + index;
    const common = { timeMs, client: 'web-edge', destination: 'support', configurationRevision: 7 };
    const draft =
      index % 3 === 2
        ? entryFields({ ...common, kind: 'REFUSED', reason: 'LIMIT_EXCEEDED', rule: 'zu viele für heute' })
        : entryFields({
            ...common,
            kind: 'ISSUED',
            realm: 'support.example',
            keyVersion: 3,
            callee,
            caller: 'anonymous@kandy.example',
            subjectHash: '00112233445566778899aabbccddeeff',
            traceId: '0af7651916cd43dd8448eb211c80319c',
            issuanceId: `01990f7e-5c00-7000-8000-${String(index).padStart(12, '0')}`,
            expireTimeMs: timeMs + 600_000,
            fingerprints: { account: print(index), from: print(index + 1), to: print(index + 2) },
          });
    const entry = linkEntry(head, draft);
    heads[writer] = entry;
    return entry;
  });
}

/** The chains of entries, of which those before `firstKept` were removed. */
export function chainsOf(entries: readonly LedgerEntry[], firstKept = 1): ExportedChain[] {
  const writers = [...new Set(entries.map(({ writerId }) => writerId))];
  return writers.map((writerId) => {
    const own = entries.filter((entry) => entry.writerId === writerId);
    const last = own.at(-1);
    return {
      writerId,
      firstSequence: firstKept,
      lastSequence: last?.sequence ?? 0,
      lastHash: hexOf(last?.hash ?? GENESIS_HASH),
      anchorHash: hexOf(own.find(({ sequence }) => sequence === firstKept)?.previousHash ?? GENESIS_HASH),
    };
  });
}

/** An export with these lines between the header and the end. */
export function exportOf(lines: readonly string[], chains: readonly ExportedChain[]): Buffer {
  const header = headerLine({
    version: EXPORT_VERSION,
    exportTime: '2026-11-25T11:00:00.000Z',
    chains,
    proof: { storeId: '00'.repeat(16), changeCount: 0, chainCount: chains.length, proof: 'ab'.repeat(32) },
  });
  const text = [header, ...lines].map((line) => `${line}\n`).join('');
  return Buffer.from(`${text}${digestLine(createHash('sha256').update(text).digest('hex'))}\n`);
}

/** The export of a ledger that holds just these entries. */
export function wholeExport(entries: readonly LedgerEntry[]): Buffer {
  return exportOf(entries.map(entryLine), chainsOf(entries));
}

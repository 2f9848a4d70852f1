import { readFile, rename, writeFile } from 'node:fs/promises';
import { create, fromJsonString, toJson } from '@bufbuild/protobuf';
import { LedgerAnchorSchema } from '@callpass/contract';
import { anchoredEntry, anchorFaults, type LedgerAnchor, type LedgerStore } from '@callpass/domain';
import { describeError, type Logger } from '@callpass/program/log';
import type { Settings } from '../settings/schema.ts';
import type { Snapshot } from '../state/snapshot.ts';
import { anchorOf, anchorToMessage } from './anchor-message.ts';
import { removeEntries } from './entries.ts';
import { takeAnchor, type VerifyDependencies } from './verify.ts';

const DAY_MS = 86_400_000;
const FIRST_REMOVAL_MS = 60_000;
const OWNER_ONLY = 0o600;

/** Parts that the upkeep of the ledger works with. */
export interface UpkeepParts extends VerifyDependencies {
  readonly store: LedgerStore;
  readonly state: { readonly snapshot: Snapshot };
  readonly log: Pick<Logger, 'info' | 'warn' | 'error'>;
}

/** Removes old entries once a day and writes anchors, as the settings ask for, until it is stopped. */
export function startUpkeep(settings: Pick<Settings, 'ledger'>, parts: UpkeepParts): { stop(): void } {
  const { keepFor, anchorFile, anchorInterval } = settings.ledger;
  const timers: NodeJS.Timeout[] = [];
  const every = (intervalMs: number, work: () => Promise<void>) => {
    timers.push(setInterval(() => void work(), intervalMs).unref());
  };
  if (keepFor !== undefined) {
    const remove = () => removeOld(parts, keepFor);
    timers.push(setTimeout(() => void remove(), FIRST_REMOVAL_MS).unref());
    every(DAY_MS, remove);
  }
  if (anchorFile !== undefined) {
    const write = () => writeAnchor(parts, anchorFile);
    void write();
    every(anchorInterval, write);
  }
  return {
    stop() {
      for (const timer of timers) clearTimeout(timer);
    },
  };
}

/** Removes the entries that are older than they are kept for. Logs what it did; never rejects. */
export async function removeOld(parts: UpkeepParts, keepForMs: number): Promise<void> {
  const beforeTimeMs = parts.clock.now() - keepForMs;
  try {
    const entries = await removeEntries(parts, { client: 'retention' }, beforeTimeMs);
    parts.log.info(
      { entries, before: new Date(beforeTimeMs).toISOString() },
      'old entries of the ledger removed',
    );
  } catch (error) {
    parts.log.warn({ error: describeError(error) }, 'old entries of the ledger could not be removed');
  }
}

/**
 * Writes an anchor to the log and into a file, in the place of the one before. One that the ledger contradicts stays, since it shows
 * that the store was put back. Logs what keeps it from writing; never rejects.
 */
export async function writeAnchor(parts: UpkeepParts, file: string): Promise<void> {
  const { log } = parts;
  try {
    const former = await readFormer(file);
    const faults = former ? await contradictions(parts.store, former) : [];
    if (faults.length > 0) {
      log.error(
        { file, faults },
        'the ledger contradicts its last anchor, which is kept: the store was put back',
      );
      return;
    }
    const anchor = toJson(
      LedgerAnchorSchema,
      create(LedgerAnchorSchema, anchorToMessage(await takeAnchor(parts))),
    );
    log.info({ anchor }, 'anchor of the ledger');
    const part = `${file}.part`;
    await writeFile(part, `${JSON.stringify(anchor)}\n`, { mode: OWNER_ONLY, flush: true });
    await rename(part, file);
  } catch (error) {
    log.warn({ file, error: describeError(error) }, 'no anchor of the ledger could be written');
  }
}

async function readFormer(file: string): Promise<LedgerAnchor | undefined> {
  try {
    return anchorOf(fromJsonString(LedgerAnchorSchema, await readFile(file, 'utf8')));
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw error;
  }
}

/** Compares an anchor with the ledger by the entries that it names, without reading the others. */
async function contradictions(
  store: Pick<LedgerStore, 'listChains' | 'readChain' | 'readStateRecord'>,
  anchor: LedgerAnchor,
): Promise<string[]> {
  const state = await store.readStateRecord();
  const chains = await store.listChains();
  const anchored = anchoredEntry(anchor);
  for (const { writerId, lastSequence } of anchor.chains) {
    const page = { writerId, afterSequence: lastSequence - 1, limit: 1 };
    for (const entry of lastSequence > 0 ? await store.readChain(page) : []) anchored.note(entry);
  }
  return anchorFaults(anchor, { chains, state, anchored }).map(({ text }) => text);
}

import { fromBinary } from '@bufbuild/protobuf';
import { ConfigurationSchema } from '@callpass/contract';
import { StoreError, type Store, type StoreErrorCode, type StoredState } from '@callpass/domain';
import { openStore } from '@callpass/storage';
import { ok, problem, skipped, type Finding } from '@callpass/program';
import { contradiction } from '../clock/clock-guard.ts';
import { readReference } from '../clock/read-reference.ts';
import { loadKeyEncryptionKey } from '../settings/key-encryption.ts';
import type { Settings } from '../settings/schema.ts';
import { checkKeys } from './check-keys.ts';

const ADVICE: Record<StoreErrorCode, string> = {
  SCHEMA_OUTDATED:
    'run callpass-server migrate with these settings; where there should be a store and is none, correct store.url',
  SCHEMA_TOO_NEW: 'run the newer version of the service, or restore the backup from before the upgrade',
  SEAL_KEY_WRONG: 'give the key-encryption key that this store was made or last resealed with',
  STORE_UNAVAILABLE:
    'see that the database runs and can be reached from here, and that name and password are right',
  STATE_ALTERED:
    'somebody else has written to the database: docs/runbooks/CallpassStateAltered.md says what to do; change nothing before',
  LEDGER_UNAVAILABLE: 'see that the database takes writes: disk, locks, read-only replica',
};

/** Opens the store as the server would, writes nothing, and looks at what it holds. */
export async function checkStore(settings: Settings, nowMs: number): Promise<readonly Finding[]> {
  const sealKey = loadKeyEncryptionKey(settings);
  let store: Store;
  try {
    store = await openStore({ url: settings.store.url, sealKey });
  } catch (error) {
    return [storeProblem(error), ...['keys', 'clock'].map((check) => skipped(check, 'needs the store'))];
  } finally {
    sealKey.fill(0);
  }
  try {
    const state = await store.loadState();
    const times = { nowMs, rotateAfterMs: settings.keys.rotateAfter };
    const findings = [ok('store', describe(state)), ...checkKeys(state, realmsOf(state), times)];
    return [...findings, await checkLedger(store), await checkClock(store, nowMs)];
  } catch (error) {
    return [storeProblem(error)];
  } finally {
    await store.close();
  }
}

function storeProblem(error: unknown): Finding {
  if (!(error instanceof StoreError)) throw error;
  return problem('store', error.message, ADVICE[error.code]);
}

const describe = ({ revision }: StoredState) =>
  `answers, its schema is this version's, configuration revision ${revision?.revision ?? 0}`;

const realmsOf = ({ revision }: StoredState) =>
  revision === undefined
    ? []
    : fromBinary(ConfigurationSchema, revision.document).realms.map(({ name }) => name);

/** Looks at the ends of the chains and at old revisions, without reading the entries. */
async function checkLedger(store: Store): Promise<Finding> {
  const { faults, chainCount } = await store.readStateRecord();
  const chains = await store.listChains();
  const missing = chainCount - chains.length;
  const altered = chains.filter(({ genuine }) => !genuine).length;
  const found = [
    ...faults,
    ...(missing > 0 ? [`${missing} of ${chainCount} chains of the ledger are missing`] : []),
    ...(altered > 0 ? [`the recorded ends of ${altered} chains of the ledger were altered`] : []),
  ];
  if (found.length > 0) return problem('ledger', found.join('; '), ADVICE.STATE_ALTERED);
  return ok('ledger', `${chainCount} chains with their ends; callpass ledger verify reads their entries`);
}

/** An issue from the future, or another time at the database, means that a clock is wrong: this one or the other. */
async function checkClock(store: Store, nowMs: number): Promise<Finding> {
  const reference = await readReference(
    { wallMs: () => nowMs, monotonicMs: () => 0, sleptMs: () => 0 },
    store,
  );
  const now = new Date(nowMs).toISOString();
  const contradicted = reference && contradiction(reference);
  if (!contradicted) return ok('clock', `${now}, not behind the ledger`);
  const { databaseOffsetMs = 0, ledgerLeadMs } = reference;
  const other = new Date(nowMs + (contradicted === 'LEDGER_AHEAD' ? ledgerLeadMs : -databaseOffsetMs));
  return problem(
    'clock',
    contradicted === 'LEDGER_AHEAD'
      ? `${now}, but the ledger has a credential of ${other.toISOString()}`
      : `${now}, but on the clock of the database it is ${other.toISOString()}`,
    'see which clock is wrong, and synchronise all (chrony, systemd-timesyncd); a server that starts does not issue meanwhile: docs/runbooks/CallpassClockUntrusted.md',
  );
}

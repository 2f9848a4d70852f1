import { fromBinary, toBinary, toJson } from '@bufbuild/protobuf';
import { ConfigurationSchema, type Configuration as ConfigurationMessage } from '@callpass/contract';
import {
  checkConfiguration,
  diffDocuments,
  keyValidates,
  warnings,
  type Change,
  type Clock,
  type Configuration,
  type JsonValue,
  type Problem,
  type RevisionRecord,
  type Store,
  type StoredRealmKey,
  type StoredRevision,
} from '@callpass/domain';
import { traceId } from '@callpass/telemetry';
import { keyBytesOf } from '@callpass/token-core';
import { invalidField, Refusal } from '../errors/refusal.ts';
import { configurationFromMessage, modeProblems } from '../state/configuration-from-message.ts';
import type { CurrentState } from '../state/current-state.ts';
import type { Principal } from '../state/principal.ts';
import type { Snapshot } from '../state/snapshot.ts';
import { loadWiped } from '../state/load-wiped.ts';

/** Ports that administration needs. */
export interface AdminDependencies {
  readonly state: Pick<CurrentState, 'snapshot' | 'reload'>;
  readonly store: Store;
  readonly clock: Clock;
}

/** A configuration to apply and the conditions for it. */
export interface ApplyRequest {
  readonly configuration: ConfigurationMessage;
  readonly expectedRevision: number;
  readonly dryRun: boolean;
  readonly force: boolean;
  readonly allowEmpty: boolean;
}

/** Changes that were made, or with a dry run would be made. */
export interface Applied {
  readonly revision: number;
  readonly changes: readonly Change[];
  readonly warnings: readonly string[];
}

/** Everything in a configuration that does not hold, by itself. */
export function problemsOf(message: ConfigurationMessage): Problem[] {
  return [...modeProblems(message), ...checkConfiguration(configurationFromMessage(message))];
}

/** Refuses a configuration that does not hold, with every problem at its field of the request. */
export function refuseProblems(problems: readonly Problem[]): void {
  if (problems.length === 0) return;
  throw new Refusal('REQUEST_INVALID', {
    violations: problems.map(({ path, message }) => ({
      field: `configuration.${path}`,
      description: message,
    })),
  });
}

/**
 * The configuration of a message, if it can be applied beside these keys. Their texts may be wiped.
 *
 * @throws {Refusal} `REQUEST_INVALID` with every problem.
 */
export function checkedConfiguration(
  message: ConfigurationMessage,
  keys: readonly Pick<StoredRealmKey, 'realm' | 'keyText'>[],
): Configuration {
  const configuration = configurationFromMessage(message);
  refuseProblems([...problemsOf(message), ...cipherProblems(keys, configuration)]);
  return configuration;
}

/** The revision's document, or the one in force. `undefined` before the first. */
export async function readRevision(store: Store, revision: number): Promise<StoredRevision | undefined> {
  if (revision === 0) return (await latest(store)) ?? undefined;
  const stored = await store.getRevision(revision);
  if (!stored) throw new Refusal('REVISION_UNKNOWN');
  return stored;
}

/**
 * Replaces the configuration as a whole under the revision that was expected.
 *
 * @throws {Refusal} `REQUEST_INVALID` with every problem; `REVISION_CONFLICT`; `REALM_IN_USE`. Then nothing has changed.
 */
export async function applyConfiguration(
  dependencies: AdminDependencies,
  principal: Principal,
  request: ApplyRequest,
): Promise<Applied> {
  const { store, state, clock } = dependencies;
  if (!request.allowEmpty) refuseEmpty(request.configuration);
  const { revision: current, keys } = await loadWiped(store);
  const revision = current?.revision ?? 0;
  if (revision !== request.expectedRevision) throw conflict(revision);

  await state.reload();
  const configuration = checkedConfiguration(request.configuration, keys);
  if (!request.force) refuseRemovalInUse(state.snapshot, configuration, clock.now());

  const before = current ? documentOf(fromBinary(ConfigurationSchema, current.document)) : {};
  const changes = diffDocuments(before, documentOf(request.configuration));
  const applied = { changes, warnings: warnings(configuration) };
  if (request.dryRun || (changes.length === 0 && revision > 0)) return { revision, ...applied };

  const applyTimeMs = clock.now();
  const outcome = await store.record(
    {
      kind: 'CONFIGURATION_APPLIED',
      timeMs: applyTimeMs,
      client: principal.client,
      configurationRevision: revision + 1,
      traceId: traceId() ?? '',
    },
    {
      change: {
        kind: 'applyConfiguration',
        document: toBinary(ConfigurationSchema, request.configuration),
        expectedRevision: revision,
        applyTimeMs,
        appliedBy: principal.client,
      },
    },
  );
  if (outcome.outcome === 'revisionConflict') throw conflict(outcome.currentRevision);
  await state.reload();
  return { revision: revision + 1, ...applied };
}

function documentOf(message: ConfigurationMessage): JsonValue {
  return toJson(ConfigurationSchema, message);
}

async function latest(store: Store): Promise<StoredRevision | undefined> {
  const [newest] = await store.listRevisions({ beforeRevision: 0, limit: 1 });
  return newest && (await store.getRevision(newest.revision));
}

function conflict(currentRevision: number): Refusal {
  return new Refusal('REVISION_CONFLICT', {
    message: `the configuration in force is revision ${currentRevision}`,
    metadata: { currentRevision: String(currentRevision) },
  });
}

/** A realm's keys were made for its cipher: another cipher needs another realm, or the old keys destroyed first. */
function cipherProblems(
  keys: readonly Pick<StoredRealmKey, 'realm' | 'keyText'>[],
  configuration: Configuration,
): Problem[] {
  return configuration.realms.flatMap((realm, index) => {
    const needed = keyBytesOf(realm.cipher);
    const unfit = keys.some(
      ({ realm: name, keyText }) => name === realm.name && keyText !== undefined && keyText.length !== needed,
    );
    if (!unfit) return [];
    return [
      {
        path: `realms[${index}].cipher`,
        message: `the realm has keys of another length than the ${needed} bytes that ${realm.cipher} needs; destroy them first`,
      },
    ];
  });
}

/** A lost file and one that is all comments are empty too, and would remove everything. */
function refuseEmpty({ realms, destinations, clients }: ConfigurationMessage): void {
  if (realms.length + destinations.length + clients.length > 0) return;
  throw invalidField(
    'configuration',
    'is empty, and would remove every realm, destination and client; set allow_empty if that is meant',
  );
}

function refuseRemovalInUse(snapshot: Snapshot, configuration: Configuration, nowMs: number): void {
  const kept = new Set(configuration.realms.map(({ name }) => name));
  for (const [name, { keys }] of snapshot.realms) {
    const used = keys.some(
      ({ record }) => record.activateTimeMs !== undefined && keyValidates(record, nowMs),
    );
    if (!kept.has(name) && used) {
      throw new Refusal('REALM_IN_USE', {
        message: `realm ${JSON.stringify(name)} has a key whose tokens are still valid; retire it and wait, or force`,
        metadata: { realm: name },
      });
    }
  }
}

/** A page of revisions, newest first. */
export async function listRevisions(
  store: Store,
  page: { size: number; token: string },
): Promise<{ revisions: readonly RevisionRecord[]; nextToken: string }> {
  const beforeRevision = page.token === '' ? 0 : Number(page.token);
  if (!Number.isSafeInteger(beforeRevision) || beforeRevision < 0) {
    throw new Refusal('REQUEST_INVALID', {
      violations: [
        {
          field: 'page_token',
          description: 'must be the next_page_token of an answer to the same list, or empty',
        },
      ],
    });
  }
  const limit = page.size || 50;
  const revisions = await store.listRevisions({ beforeRevision, limit });
  const last = revisions[revisions.length - 1];
  return {
    revisions,
    nextToken: last && revisions.length === limit && last.revision > 1 ? String(last.revision) : '',
  };
}

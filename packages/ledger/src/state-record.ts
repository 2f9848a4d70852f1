import type { LedgerEntry } from './entry.ts';

/** State that decides besides the ledger (configuration, keys, freezes), as the store has recorded and checked it. */
export interface StateRecord {
  /** Faults of rows and of the record itself, in words; empty where all is as this service left it. */
  readonly faults: readonly string[];
  /** Number of changes that were made. */
  readonly changeCount: number;
  /** Changes up to this number may have no entry any more: retention has removed some of them. */
  readonly forgottenChanges: number;
  /** Number of chains that were begun. */
  readonly chainCount: number;
  /** Each thing that can be changed and the hash of what it is now; see {@link changedThing}. */
  readonly things: readonly (readonly [name: string, changeHash: string])[];
}

/** Name of a configuration revision among the things that are changed. */
export function revisionThing(revision: number): string {
  return `configuration revision ${revision}`;
}

/** Name of the keys of a realm among the things that are changed. */
export function realmKeysThing(realm: string): string {
  return `the keys of realm ${realm}`;
}

/** Name of a freeze among the things that are changed. */
export function freezeThing(kind: string, value: string): string {
  return `the freeze of ${kind.toLowerCase()} ${value}`;
}

const CLIENT_RULE = 'client ';

/** Rule of the entry that freezes or unfreezes a client: its field for clients is for the one that acted. */
export function frozenClientRule(client: string): string {
  return `${CLIENT_RULE}${client}`;
}

/** Name of what an entry of a change has changed; `undefined` for other entries. */
export function changedThing(entry: LedgerEntry): string | undefined {
  switch (entry.kind) {
    case 'CONFIGURATION_APPLIED':
      return revisionThing(entry.configurationRevision);
    case 'KEY_STATE_CHANGED':
      return realmKeysThing(entry.realm);
    case 'FROZEN':
    case 'UNFROZEN':
      return frozenThing(entry);
    case 'ISSUED':
    case 'REFUSED':
    case 'ENTRIES_REMOVED':
      return undefined;
  }
}

function frozenThing({ realm, destination, subjectHash, rule }: LedgerEntry): string | undefined {
  if (realm !== '') return freezeThing('REALM', realm);
  if (destination !== '') return freezeThing('DESTINATION', destination);
  if (subjectHash !== '') return freezeThing('SUBJECT', subjectHash);
  return rule.startsWith(CLIENT_RULE) ? freezeThing('CLIENT', rule.slice(CLIENT_RULE.length)) : undefined;
}

/** What an entry records. The numbers are part of the canonical bytes and are never reused. */
export const ENTRY_KINDS = {
  ISSUED: 1,
  REFUSED: 2,
  CONFIGURATION_APPLIED: 3,
  KEY_STATE_CHANGED: 4,
  FROZEN: 5,
  UNFROZEN: 6,
  ENTRIES_REMOVED: 7,
} as const;

/** What an entry records. */
export type EntryKind = keyof typeof ENTRY_KINDS;

/** Keyed fingerprints of the three tokens of one issue, 16 bytes each. */
export interface TokenFingerprints {
  readonly account: Uint8Array;
  readonly from: Uint8Array;
  readonly to: Uint8Array;
}

/**
 * An entry before it has a place in a chain. Text that does not apply is empty, a number is 0, so that every entry has
 * one canonical form. Times in milliseconds since the epoch.
 */
export interface EntryDraft {
  readonly kind: EntryKind;
  /** With ISSUED: exactly the time inside the tokens. */
  readonly timeMs: number;
  readonly client: string;
  readonly destination: string;
  readonly realm: string;
  readonly keyVersion: number;
  readonly callee: string;
  readonly caller: string;
  /** 32 hexadecimal digits of a keyed hash. */
  readonly subjectHash: string;
  readonly reason: string;
  readonly rule: string;
  readonly configurationRevision: number;
  readonly traceId: string;
  readonly issuanceId: string;
  readonly expireTimeMs: number;
  /** With ISSUED for a realm; otherwise `undefined`. */
  readonly fingerprints: TokenFingerprints | undefined;
}

/** An entry in its place. `hash` covers `previousHash`, the place and every field. */
export interface LedgerEntry extends EntryDraft {
  readonly writerId: string;
  /** From 1, without gaps, within a writer. */
  readonly sequence: number;
  readonly previousHash: Uint8Array;
  readonly hash: Uint8Array;
}

/** An entry of this kind with everything that is not given left blank. One literal: it is made for every request. */
export function draftEntry(
  fields: Partial<EntryDraft> & Pick<EntryDraft, 'kind' | 'timeMs' | 'client'>,
): EntryDraft {
  return {
    kind: fields.kind,
    timeMs: fields.timeMs,
    client: fields.client,
    destination: fields.destination ?? '',
    realm: fields.realm ?? '',
    keyVersion: fields.keyVersion ?? 0,
    callee: fields.callee ?? '',
    caller: fields.caller ?? '',
    subjectHash: fields.subjectHash ?? '',
    reason: fields.reason ?? '',
    rule: fields.rule ?? '',
    configurationRevision: fields.configurationRevision ?? 0,
    traceId: fields.traceId ?? '',
    issuanceId: fields.issuanceId ?? '',
    expireTimeMs: fields.expireTimeMs ?? 0,
    fingerprints: fields.fingerprints,
  };
}

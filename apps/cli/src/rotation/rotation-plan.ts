import type { Cipher, EnumName } from '@callpass/contract';

type CipherName = EnumName<typeof Cipher>;

/** A key as the service lists it. Times are RFC 3339. */
export interface PlannedKey {
  readonly version: number;
  readonly state: 'PENDING' | 'ACTIVE' | 'RETIRED' | 'DESTROYED';
  readonly fingerprint: string;
  readonly validateUntilTime?: string;
}

/** The input of a plan: the realm as configured, its users, and its keys. */
export interface RealmInUse {
  readonly realm: string;
  readonly configurationRevision: number;
  readonly cipher: CipherName;
  readonly tokenLifetimeSeconds: number;
  readonly maxClockSkewSeconds: number;
  /** Newest first. */
  readonly keys: readonly PlannedKey[];
  readonly destinations: readonly { readonly id: string; readonly account: string }[];
  /** Clients whose right to validate names this realm. */
  readonly validators: readonly string[];
  /** Destinations with a limit that counts by realm. */
  readonly limitedByRealm: readonly string[];
}

/** One thing to do, where, and what to type for it. */
export interface Step {
  readonly title: string;
  /** `portal` is the vendor's admin portal. */
  readonly where: 'callpass' | 'portal' | 'wait';
  readonly notes: readonly string[];
  readonly commands: readonly string[];
  readonly waitSeconds?: number;
}

/** One way to rotate. */
export interface Way {
  readonly name: 'same-realm' | 'second-realm';
  readonly summary: string;
  /** Conditions that must hold before it is chosen. */
  readonly checks: readonly string[];
  /** Which tokens the gateway refuses although this service takes them for valid. */
  readonly refusedByGateway: readonly string[];
  readonly steps: readonly Step[];
}

/** The ways to rotate the key of a realm. */
export interface RotationPlan extends RealmInUse {
  readonly activeVersion: number;
  readonly nextVersion: number;
  /** Time that a retired key still validates here: the token lifetime and the clock skew. */
  readonly validatesAfterRetirementSeconds: number;
  /** The users set up on the vendor's side whose tokens this realm encrypts. */
  readonly accounts: readonly string[];
  readonly ways: readonly Way[];
}

/** The part of a plan that both ways are made from. */
export type PlanBase = Omit<RotationPlan, 'ways'>;

/** Length of a realm's key in the vendor's portal, in characters. */
export const KEY_LENGTHS: Readonly<Record<CipherName, number>> = {
  AES_128_ECB: 16,
  AES_256_CBC_HMAC_SHA256: 32,
};

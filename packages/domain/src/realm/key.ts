/** State of a realm key. Keys go through them in this order and never back. */
export type KeyState = 'PENDING' | 'ACTIVE' | 'RETIRED' | 'DESTROYED';

/** Record of a realm key, without the key itself. Times in milliseconds since the epoch. */
export interface RealmKeyRecord {
  readonly realm: string;
  /** Counts from 1 within the realm. */
  readonly version: number;
  readonly state: KeyState;
  /** 16 hexadecimal digits of a keyed hash. */
  readonly fingerprint: string;
  readonly createTimeMs: number;
  readonly activateTimeMs: number | undefined;
  readonly retireTimeMs: number | undefined;
  readonly destroyTimeMs: number | undefined;
  /** With a retired key: until when it validates. */
  readonly validateUntilMs: number | undefined;
}

/** The steps an operator may take with a key. */
export type KeyStep = 'activate' | 'retire' | 'destroy';

const ALLOWED_FROM: Record<KeyStep, readonly KeyState[]> = {
  activate: ['PENDING'],
  retire: ['ACTIVE', 'PENDING'],
  destroy: ['PENDING', 'RETIRED'],
};

/** Tells whether a key in this state may take this step. An active key must be retired before it can be destroyed. */
export function mayStep(state: KeyState, step: KeyStep): boolean {
  return ALLOWED_FROM[step].includes(state);
}

/**
 * Tests that a key may not be used again: it was destroyed while tokens of it were valid, as a leaked one is. With the same
 * key under a new version these would be valid once more.
 */
export function isCompromised({ destroyTimeMs, activateTimeMs, validateUntilMs }: RealmKeyRecord): boolean {
  if (destroyTimeMs === undefined || activateTimeMs === undefined) return false;
  return validateUntilMs === undefined || destroyTimeMs < validateUntilMs;
}

/**
 * Tells whether a key decrypts tokens at `nowMs`. A pending one does, since another issuer of the realm may use it already. A
 * retired one without a time until which it does, does not.
 */
export function keyValidates(key: RealmKeyRecord, nowMs: number): boolean {
  switch (key.state) {
    case 'PENDING':
    case 'ACTIVE':
      return true;
    case 'RETIRED':
      return key.validateUntilMs !== undefined && nowMs < key.validateUntilMs;
    case 'DESTROYED':
      return false;
  }
}

/** Expiry of the last token that a key encrypted, if it stops encrypting at `retireTimeMs`. */
export function validateUntil(
  retireTimeMs: number,
  realm: { tokenLifetimeMs: number; maxClockSkewMs: number },
): number {
  return retireTimeMs + realm.tokenLifetimeMs + realm.maxClockSkewMs;
}

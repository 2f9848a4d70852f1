/** Limits of a store. */
export interface StoreLimits {
  /** Milliseconds that a `record` may take before its caller gets `LEDGER_UNAVAILABLE`. */
  readonly recordMs: number;
  /** Milliseconds that a read may take before its caller gets `STORE_UNAVAILABLE`. */
  readonly readMs: number;
  /** Milliseconds that a commit waits for a lock of another process. Well below `recordMs`. */
  readonly lockMs: number;
  /** Records that may wait for a commit. The next one gets `LEDGER_UNAVAILABLE` at once. */
  readonly maxQueued: number;
  /** Records in one commit. */
  readonly maxBatch: number;
  /** Reads under way at a time. The next one gets `STORE_UNAVAILABLE` at once. */
  readonly maxReads: number;
  /** Bytes on the disk that are kept for what operators do when it is full; SQLite only, 0 for none. */
  readonly reserveBytes: number;
  /** Connections for reads; PostgreSQL only. Writing and listening have one more each. */
  readonly connections: number;
}

/** The limits where none are given. */
export const DEFAULT_LIMITS: StoreLimits = {
  recordMs: 5_000,
  readMs: 5_000,
  lockMs: 2_000,
  maxQueued: 10_000,
  maxBatch: 512,
  maxReads: 10_000,
  reserveBytes: 0,
  connections: 4,
};

/** Limits of what goes through whole tables: migrations and resealing. */
export const PATIENT_LIMITS: StoreLimits = {
  ...DEFAULT_LIMITS,
  recordMs: 3_600_000,
  readMs: 3_600_000,
  lockMs: 60_000,
  reserveBytes: 0,
};

/** What an administrator sets in the vendor's portal, as far as calls depend on it. */
export interface Portal {
  /** Whether calls without tokens are taken at all. */
  readonly unrestrictedCalls: boolean;
  /** Callees (`user@domain`) without the CallMe service. */
  readonly notEnabled: readonly string[];
}

/** A portal in which everything is allowed. */
export const OPEN_PORTAL: Portal = { unrestrictedCalls: true, notEnabled: [] };

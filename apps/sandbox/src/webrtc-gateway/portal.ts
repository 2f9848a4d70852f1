/** Settings of the vendor's portal that affect calls. */
export interface Portal {
  /** True if calls without tokens are accepted. */
  readonly unrestrictedCalls: boolean;
  /** Callees (`user@domain`) without the CallMe service. */
  readonly notEnabled: readonly string[];
}

/** A portal in which everything is allowed. */
export const OPEN_PORTAL: Portal = { unrestrictedCalls: true, notEnabled: [] };

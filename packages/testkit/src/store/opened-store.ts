import type { Store } from '@callpass/domain';

/** The store of one conformance test. */
export interface OpenedStore {
  readonly store: Store;
  /** Opens the same database once more, as another instance does. */
  another(): Promise<Store>;
}

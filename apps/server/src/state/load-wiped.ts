import type { Store } from '@callpass/domain';

/** Loads the state for those who need no keys: the texts of the keys are wiped at once. */
export async function loadWiped(store: Pick<Store, 'loadState'>): ReturnType<Store['loadState']> {
  const loaded = await store.loadState();
  for (const { keyText } of loaded.keys) keyText?.fill(0);
  return loaded;
}

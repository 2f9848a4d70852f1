/** Address of a store. */
export type StoreAddress =
  | { readonly engine: 'sqlite'; readonly path: string }
  | { readonly engine: 'postgres'; readonly url: string };

/**
 * Reads `sqlite:PATH` or `postgres://…`. Throws `TypeError` for anything else, without the text, which may hold a
 * password.
 */
export function parseStoreUrl(url: string): StoreAddress {
  if (url.startsWith('sqlite:') && url.length > 'sqlite:'.length) {
    return { engine: 'sqlite', path: url.slice('sqlite:'.length) };
  }
  if (/^postgres(ql)?:\/\//.test(url)) return { engine: 'postgres', url };
  throw new TypeError('the store URL must be sqlite:PATH or postgres://…');
}

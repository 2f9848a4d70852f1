import { resolve } from 'node:path';

/** Port of PostgreSQL where a URL names none. */
const DEFAULT_PORT = '5432';

/** Address of a store. An engine that keeps it in a file has the file's path. */
export type StoreAddress =
  | { readonly engine: 'sqlite'; readonly path: string }
  | { readonly engine: 'postgres'; readonly url: string };

/** Form of the URLs of each engine. */
const URL_FORMS: Readonly<Record<StoreAddress['engine'], string>> = {
  sqlite: 'sqlite:PATH',
  postgres: 'postgres://…',
};

/** Names of the engines. Each has a folder of its name. */
export const ENGINES: readonly string[] = Object.keys(URL_FORMS);

/** Forms of a store URL, for messages. */
export const STORE_URL_FORMS: string = Object.values(URL_FORMS).join(' or ');

/**
 * Reads the URL of a store: one of {@link STORE_URL_FORMS}. Throws `TypeError` for anything else, without the text, which may
 * hold a password.
 */
export function parseStoreUrl(url: string): StoreAddress {
  const address = addressOf(url);
  if (address === undefined) throw new TypeError(`the store URL must be ${STORE_URL_FORMS}`);
  return address;
}

/** Tests whether a text is the URL of a store. */
export function isStoreUrl(url: string): boolean {
  return addressOf(url) !== undefined;
}

/** Path of the file that holds a store; `undefined` for a store on a database server. Throws as {@link parseStoreUrl} does. */
export function storeFile(url: string): string | undefined {
  const address = parseStoreUrl(url);
  return 'path' in address ? address.path : undefined;
}

/**
 * Describes where a store is, for messages: the absolute path of its file, or database, host and port. Never holds a password. Throws
 * as {@link parseStoreUrl} does.
 */
export function storePlace(url: string): string {
  const address = parseStoreUrl(url);
  if (address.engine === 'sqlite') return resolve(address.path);
  const { pathname = '', hostname = '', port = '' } = URL.parse(address.url) ?? {};
  return `the database ${pathname.slice(1)} at ${hostname}:${port || DEFAULT_PORT}`;
}

function addressOf(url: string): StoreAddress | undefined {
  const [, path] = /^sqlite:(.+)$/.exec(url) ?? [];
  if (path !== undefined) return { engine: 'sqlite', path };
  return /^postgres(ql)?:\/\/.+$/.test(url) ? { engine: 'postgres', url } : undefined;
}

import { resolve } from 'node:path';

/** Port of PostgreSQL where a URL names none. */
const DEFAULT_PORT = '5432';
/** Stands where a URL of PostgreSQL, unlike others, may have a user and no host. */
const NO_HOST = 'none.invalid';

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

/** Tests whether the parts of a store URL can be read, such as host and port. */
export function isReadableStoreUrl(url: string): boolean {
  const address = addressOf(url);
  return address?.engine !== 'postgres' || partsOf(address.url) !== null;
}

function partsOf(url: string): URL | null {
  return URL.parse(url.replace('@/', `@${NO_HOST}/`));
}

/** Path of the file that holds a store; `undefined` for a store on a database server. Throws as {@link parseStoreUrl} does. */
export function storeFile(url: string): string | undefined {
  const address = parseStoreUrl(url);
  return 'path' in address ? address.path : undefined;
}

/**
 * Describes where a store is, for messages: the absolute path of its file, or database, host and port, as the URL and the standard
 * variables of PostgreSQL name them. Never holds a password. Throws as {@link parseStoreUrl} does.
 */
export function storePlace(url: string, environment: NodeJS.ProcessEnv = process.env): string {
  const address = parseStoreUrl(url);
  if (address.engine === 'sqlite') return resolve(address.path);
  const parsed = partsOf(address.url);
  if (parsed === null) return 'the database of a URL that cannot be read';
  const { searchParams: given, hostname, port, pathname, username } = parsed;
  const { PGHOST, PGPORT, PGDATABASE, PGUSER } = environment;
  const host = given.get('host') || (hostname === NO_HOST ? '' : decoded(hostname)) || PGHOST || 'localhost';
  const database = decoded(pathname.slice(1)) || PGDATABASE || decoded(username) || PGUSER || '';
  return `the database ${database} at ${host}:${given.get('port') || port || PGPORT || DEFAULT_PORT}`;
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}

function addressOf(url: string): StoreAddress | undefined {
  const [, path] = /^sqlite:(.+)$/.exec(url) ?? [];
  if (path !== undefined) return { engine: 'sqlite', path };
  return /^postgres(ql)?:\/\/.+$/.test(url) ? { engine: 'postgres', url } : undefined;
}

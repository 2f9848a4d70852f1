import pg from 'pg';

const INT8 = 20;

/** A database that does not answer a connection is away, however long its statements may take. */
const MAX_CONNECT_MS = 10_000;

/**
 * Options of a connection. The server gives up on a statement first, then the client does, and drops the connection, since what
 * comes back on it later belongs to nobody: both before the callers' time is up.
 */
export function connectionOptions(
  url: string,
  { timeoutMs, lockMs }: { timeoutMs: number; lockMs: number },
): pg.ClientConfig {
  return {
    connectionString: withStrictTls(url),
    application_name: 'callpass',
    connectionTimeoutMillis: Math.min(Math.ceil(timeoutMs * 0.8), MAX_CONNECT_MS),
    statement_timeout: Math.ceil(timeoutMs * 0.8),
    query_timeout: Math.ceil(timeoutMs * 0.9),
    lock_timeout: lockMs,
    idle_in_transaction_session_timeout: timeoutMs * 2,
    keepAlive: true,
    // With this the client drops a connection whose query ran out of time; without it, it would wait there.
    pipeline: true,
    types,
  };
}

/**
 * The same URL with the name of what its driver does for `prefer`, `require` and `verify-ca` anyway: without it the driver
 * writes a warning about its own next version into the log.
 */
function withStrictTls(url: string): string {
  if (/[?&]uselibpqcompat=true(&|$)/.test(url)) return url;
  return url.replace(/([?&]sslmode=)(prefer|require|verify-ca)(?=&|$)/, '$1verify-full');
}

/** Every number in the tables is a safe integer. */
const types: pg.CustomTypesConfig = {
  getTypeParser: (oid: number, format?: 'text' | 'binary') =>
    oid === INT8 ? Number : (pg.types.getTypeParser(oid, format) as unknown),
};

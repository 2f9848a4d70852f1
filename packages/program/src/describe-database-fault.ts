import { errorText } from './error-text.ts';
import { faultOf } from './describe-fault.ts';

const REFUSES_LOGIN = 'it does not take the user or the password; correct them in the URL';
const NO_RIGHTS = 'the user may not do that; give it the rights';
const TAKES_NO_WRITES = 'it takes no writes, as a replica does; name the primary, or make it writable';
const LOST_CONNECTION = 'the connection was lost; look at its log, and at the network';
const TOO_SLOW = 'it does not answer in time; look at its load, at locks and at the network';
const NO_ROOM = 'its disk is full; free some of it';
const DAMAGED = 'its data is damaged; change nothing more, and restore a backup';
const STARTING = 'it is starting or stopping; wait a moment, then look at its log';
const BAD_DISK = 'its disk does not work or is full; look at the log of the system';
const UNKNOWN_AUTHORITY =
  'its certificate is of an authority that is not known here; name that authority, as in NODE_EXTRA_CA_CERTS';
const NO_TLS = 'it speaks no TLS there; check host and port, or leave TLS out of the URL';

/**
 * Faults by the beginning of their code: SQLSTATE of PostgreSQL, result code of SQLite, first word of an answer of Redis, or code of a TLS
 * connection. What is longer stands before what it begins with.
 */
const FAULTS: readonly (readonly [code: string, text: string])[] = [
  ['28P01', REFUSES_LOGIN],
  ['28', 'it does not let this user in from here, perhaps because it wants TLS; look at its pg_hba.conf'],
  ['3D000', 'it has no such database; create it, or correct the name in the URL'],
  ['42501', NO_RIGHTS],
  ['42', 'its tables are not those of this version; run callpass-server migrate'],
  ['53100', NO_ROOM],
  ['53300', 'all its connections are taken; raise its max_connections, or connect fewer programs'],
  ['53', 'it has no memory or room left; look at its log'],
  ['57P03', STARTING],
  ['57P', 'it was stopped; start it, and look at its log'],
  ['57014', TOO_SLOW],
  ['55P03', TOO_SLOW],
  ['40', TOO_SLOW],
  ['25006', TAKES_NO_WRITES],
  ['08', LOST_CONNECTION],
  ['58', BAD_DISK],
  ['XX001', DAMAGED],
  ['XX002', DAMAGED],
  ['SQLITE_BUSY', 'another process holds the file; end that process, or wait until it is done'],
  ['SQLITE_LOCKED', 'another process holds the file; end that process, or wait until it is done'],
  ['SQLITE_READONLY', 'the file can only be read; change owner or mode of the file and its folder'],
  ['SQLITE_CORRUPT', DAMAGED],
  ['SQLITE_NOTADB', 'the file is no database, or it is damaged; check the path, or restore a backup'],
  ['SQLITE_FULL', NO_ROOM],
  ['SQLITE_IOERR', BAD_DISK],
  ['SQLITE_CANTOPEN', 'the file cannot be opened; check its path, and its owner and mode'],
  ['SQLITE_PERM', NO_RIGHTS],
  ['WRONGPASS', REFUSES_LOGIN],
  ['NOAUTH', 'it wants a password; put it into the URL'],
  ['NOPERM', NO_RIGHTS],
  ['READONLY', TAKES_NO_WRITES],
  ['MASTERDOWN', TAKES_NO_WRITES],
  ['NOREPLICAS', TAKES_NO_WRITES],
  ['OOM', 'its memory is full; give it more (maxmemory), or let others use another one'],
  ['MISCONF', 'it cannot write to its disk and takes no writes; look at its log'],
  ['LOADING', STARTING],
  ['DENIED', 'it lets in only programs of its own machine; give it a password'],
  ['CLUSTERDOWN', 'its cluster does not work; look at its log'],
  ['MOVED', 'it is one node of a cluster; name a Redis that is none'],
  ['CERT_HAS_EXPIRED', 'its certificate has expired; renew it'],
  ['CERT_NOT_YET_VALID', 'its certificate is not valid yet; check the clocks'],
  ['ERR_TLS_CERT_ALTNAME_INVALID', 'its certificate is for another name; use a name that stands in it'],
  ['SELF_SIGNED_CERT', UNKNOWN_AUTHORITY],
  ['DEPTH_ZERO_SELF_SIGNED_CERT', UNKNOWN_AUTHORITY],
  ['UNABLE_TO_', UNKNOWN_AUTHORITY],
  ['EPROTO', NO_TLS],
  ['ERR_SSL_', NO_TLS],
];

/** Faults for which a library has a text of its own and no code. */
const TEXTS: readonly (readonly [library: RegExp, text: string])[] = [
  [/^The server does not support SSL/, NO_TLS],
  [/^SASL: .*password must be a/, 'it wants a password; put it into the URL'],
  [/^SASL: /, REFUSES_LOGIN],
  [/^ERR (AUTH|invalid password|Client sent AUTH)/i, REFUSES_LOGIN],
  [
    /^(Connection terminated|Connection is closed|Client has encountered|Client was closed|Socket closed)/,
    LOST_CONNECTION,
  ],
  [/^(Stream isn't writeable|Reached the max retries)/, LOST_CONNECTION],
  [/^(Command timed out|Query read timeout|timeout expired|timeout exceeded|Socket timeout)/i, TOO_SLOW],
];

/**
 * Describes a fault of PostgreSQL, SQLite or Redis for an operator: what is wrong, what to do, and the code in brackets, without the
 * words of the library and the server, which may quote values. An error without a code that no library is known to throw
 * is one of this project, which has such a text itself.
 */
export function describeDatabaseFault(error: unknown): string {
  const [tried] =
    error instanceof AggregateError && error.errors.length > 0 ? (error.errors as unknown[]) : [error];
  const text = errorText(tried);
  const code = codeOf(tried, text);
  if (code === undefined) return TEXTS.find(([library]) => library.test(text))?.[1] ?? text;
  const known = FAULTS.find(([begin]) => code.startsWith(begin))?.[1] ?? faultOf(code);
  return `${known ?? 'it reports a fault that is not known here; look at its log'} [${code}]`;
}

/** The code of an error; Redis puts it in front of its text. */
function codeOf(error: unknown, text: string): string | undefined {
  const { code, name } = error as { readonly code?: unknown; readonly name?: unknown };
  if (typeof code === 'string') return code;
  return name === 'ReplyError' ? /^(?!ERR )[A-Z]+(?= )/.exec(text)?.[0] : undefined;
}

import { describe, expect, it } from '@jest/globals';
import { describeDatabaseFault } from './index.ts';

const fault = (message: string, code?: string, name = 'Error') =>
  Object.assign(new Error(message), { name }, code === undefined ? {} : { code });
const reply = (message: string) => fault(message, undefined, 'ReplyError');

/** Words of the drivers and the databases, none of which says what to do. */
const OF_LIBRARIES =
  /canary|SASL|SCRAM|getaddrinfo|connect E|authentication failed|self-signed|better-sqlite|SqliteError|ioredis|ReplyError|offlineQueue|retries|malformed|undefined/i;

describe('a fault of a database', () => {
  it.each([
    ['28P01', fault('password authentication failed for user "canary"', '28P01'), 'user or the password'],
    ['28000', fault('no pg_hba.conf entry for host "canary", no encryption', '28000'), 'pg_hba.conf'],
    ['3D000', fault('database "canary" does not exist', '3D000'), 'no such database'],
    ['42501', fault('permission denied for table canary', '42501'), 'give it the rights'],
    ['42P01', fault('relation "canary" does not exist', '42P01'), 'callpass-server migrate'],
    ['53100', fault('could not extend file "canary"', '53100'), 'disk is full'],
    ['53300', fault('sorry, too many clients already', '53300'), 'max_connections'],
    ['57P03', fault('the database system is starting up', '57P03'), 'wait a moment'],
    ['57P01', fault('terminating connection due to administrator command', '57P01'), 'was stopped'],
    ['57014', fault('canceling statement due to statement timeout', '57014'), 'in time'],
    ['55P03', fault('canceling statement due to lock timeout', '55P03'), 'locks'],
    ['25006', fault('cannot execute INSERT in a read-only transaction', '25006'), 'name the primary'],
    ['XX001', fault('invalid page in block 7 of relation canary', 'XX001'), 'restore a backup'],
    ['0A000', fault('canary', '0A000'), 'look at its log'],
    ['', fault('The server does not support SSL connections'), 'speaks no TLS'],
    ['', fault('SASL: SCRAM-SERVER-FIRST-MESSAGE: client password must be a string'), 'wants a password'],
    ['', fault('Connection terminated unexpectedly'), 'connection was lost'],
    ['', fault('timeout expired'), 'in time'],
    ['ECONNREFUSED', fault('connect ECONNREFUSED canary:5432', 'ECONNREFUSED'), 'start it'],
    [
      'ECONNREFUSED',
      new AggregateError([fault('connect', 'ECONNREFUSED'), fault('connect', 'ECONNREFUSED')], ''),
      'start it',
    ],
    ['ENOTFOUND', fault('getaddrinfo ENOTFOUND canary', 'ENOTFOUND'), 'name is not known'],
    ['ETIMEDOUT', fault('connect ETIMEDOUT', 'ETIMEDOUT'), 'check the address'],
    ['ECONNRESET', fault('read ECONNRESET', 'ECONNRESET'), 'connection was lost'],
    ['EHOSTUNREACH', fault('connect EHOSTUNREACH', 'EHOSTUNREACH'), 'check the address'],
    [
      'SELF_SIGNED_CERT_IN_CHAIN',
      fault('self-signed certificate in certificate chain', 'SELF_SIGNED_CERT_IN_CHAIN'),
      'name that authority',
    ],
    ['CERT_HAS_EXPIRED', fault('certificate has expired', 'CERT_HAS_EXPIRED'), 'renew it'],
    [
      'ERR_TLS_CERT_ALTNAME_INVALID',
      fault("Hostname/IP does not match certificate's altnames: canary", 'ERR_TLS_CERT_ALTNAME_INVALID'),
      'another name',
    ],
    ['SQLITE_BUSY', fault('database is locked', 'SQLITE_BUSY', 'SqliteError'), 'another process'],
    [
      'SQLITE_BUSY_SNAPSHOT',
      fault('database is locked', 'SQLITE_BUSY_SNAPSHOT', 'SqliteError'),
      'another process',
    ],
    [
      'SQLITE_READONLY_DBMOVED',
      fault('attempt to write a readonly database', 'SQLITE_READONLY_DBMOVED'),
      'owner or mode',
    ],
    ['SQLITE_CORRUPT', fault('database disk image is malformed', 'SQLITE_CORRUPT'), 'restore a backup'],
    ['SQLITE_NOTADB', fault('file is not a database', 'SQLITE_NOTADB'), 'check the path'],
    ['SQLITE_FULL', fault('database or disk is full', 'SQLITE_FULL'), 'free some'],
    ['SQLITE_IOERR_FSYNC', fault('disk I/O error', 'SQLITE_IOERR_FSYNC'), 'log of the system'],
    ['SQLITE_CANTOPEN', fault('unable to open database file', 'SQLITE_CANTOPEN'), 'owner and mode'],
    ['WRONGPASS', reply('WRONGPASS invalid username-password pair or user is disabled.'), 'correct them'],
    ['NOAUTH', reply('NOAUTH Authentication required.'), 'wants a password'],
    [
      'NOPERM',
      reply("NOPERM User canary has no permissions to run the 'eval' command"),
      'give it the rights',
    ],
    ['READONLY', reply("READONLY You can't write against a read only replica."), 'name the primary'],
    ['OOM', reply("OOM command not allowed when used memory > 'maxmemory'."), 'maxmemory'],
    ['MISCONF', reply('MISCONF Redis is configured to save RDB snapshots'), 'look at its log'],
    ['LOADING', reply('LOADING Redis is loading the dataset in memory'), 'wait a moment'],
    ['DENIED', reply('DENIED Redis is running in protected mode'), 'give it a password'],
    ['', reply('ERR AUTH <password> called without any password configured'), 'correct them'],
    ['', fault('Command timed out'), 'in time'],
    ['', fault('Connection is closed.'), 'connection was lost'],
    ['', fault("Stream isn't writeable and enableOfflineQueue options is false"), 'connection was lost'],
  ])('%s: is told with what to do, in no word of a library: %p', (code, error, advice) => {
    const text = describeDatabaseFault(error);
    expect(text).toContain(advice);
    expect(text).toMatch(
      code === '' ? /^[^;]{10,}; .{5,}[^\]]$/ : new RegExp(`^[^;]{10,}; .{5,} \\[${code}\\]$`),
    );
    expect(text).not.toMatch(OF_LIBRARIES);
  });

  it('of this project keeps its text', () => {
    expect(describeDatabaseFault(new Error('the entry was not written in time'))).toBe(
      'the entry was not written in time',
    );
  });
});

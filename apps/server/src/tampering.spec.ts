import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { LedgerAnchor } from '@callpass/contract';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { execOnFile } from '@callpass/storage/testing';
import { createClient } from '@callpass/grpc-kit';
import {
  Health,
  HealthCheckResponse_ServingStatus,
} from '@callpass/rpc-protos/gen/grpc/health/v1/health_pb.js';
import { examine } from './doctor/doctor.ts';
import { DOCUMENT, KEYS, START_MS, startTestServer, type TestServer } from './testing/test-server.ts';
import { refusalOf } from './testing/refusal.ts';

const TABLES = [
  'ledger',
  'ledger_writers',
  'revisions',
  'realm_keys',
  'freezes',
  'state',
  'secrets',
  'answers',
];
const DECIDING = ['revisions', 'realm_keys', 'freezes', 'state'];
const PAGE = new URL('../../../docs/operations/tampering.md', import.meta.url);

/** Tables of another database, under a name in SQL. */
type Other = 'base' | 'older' | 'other';
const from = (other: Other, tables: readonly string[]) =>
  [
    'pragma foreign_keys = off',
    ...tables.map((table) => `delete from ${table}; insert into ${table} select * from ${other}.${table}`),
  ].join(';');

/** Edits of the database while a server runs on it, by somebody who cannot open its secrets. */
const EDITS: readonly (readonly [edit: string, sql: string])[] = [
  [
    'a configuration revision is put in',
    `insert into revisions select revision + 1, document, apply_time_ms, applied_by, mac from revisions order by revision desc limit 1`,
  ],
  [
    'the newest revision is altered in place',
    `update revisions set document = cast(document || x'00' as blob) where revision = 2`,
  ],
  ['an old revision is altered in place', `update revisions set document = x'' where revision = 1`],
  ['who applied an old revision is altered', `update revisions set applied_by = 'nobody' where revision = 1`],
  ['the newest revision is deleted', `delete from revisions where revision = 2`],
  ['an old revision is deleted', `delete from revisions where revision = 1`],
  [
    'the documents of two revisions are swapped',
    `update revisions set document = (select r.document from base.revisions r where r.revision = 3 - revisions.revision)`,
  ],
  ['the revisions are emptied', `delete from revisions`],
  [
    'a retired key is made active',
    `update realm_keys set state = 'ACTIVE' where realm = 'seconds.example' and version = 1`,
  ],
  [
    'a retired key validates for longer',
    `update realm_keys set validate_until_ms = validate_until_ms + 1000000000 where realm = 'seconds.example' and version = 1`,
  ],
  [
    'the fingerprint of a key is altered',
    `update realm_keys set fingerprint = 'ffffffffffffffff' where realm = 'ecb.example'`,
  ],
  ['a key is deleted', `delete from realm_keys where realm = 'seconds.example' and version = 1`],
  [
    'a key is copied to another realm',
    `insert into realm_keys select 'keyless.example', version, state, fingerprint, create_time_ms, activate_time_ms, retire_time_ms, destroy_time_ms, validate_until_ms, sealed_text, mac from realm_keys where realm = 'ecb.example'`,
  ],
  [
    'the texts of two keys are swapped',
    `update realm_keys set sealed_text = (select k.sealed_text from base.realm_keys k where k.realm = realm_keys.realm and k.version = 3 - realm_keys.version) where realm = 'seconds.example'`,
  ],
  ['the keys are emptied', `delete from realm_keys`],
  ['the keys are put back to an older copy', from('older', ['realm_keys'])],
  ['the keys are those of another store', from('other', ['realm_keys'])],
  ['a freeze is deleted', `delete from freezes where value = 'office'`],
  ['a freeze ends early', `update freezes set until_ms = 1 where value = 'office'`],
  ['a freeze is moved to another destination', `update freezes set value = 'members' where value = 'office'`],
  [
    'a freeze that was lifted is put back',
    `insert into freezes select * from older.freezes where value = 'lobby'`,
  ],
  ['the freezes are those of another store', from('other', ['freezes'])],
  ['the counter of changes is put back', `update state set change_count = change_count - 1`],
  ['the record of the state is deleted', `delete from state`],
  ['configuration, keys, freezes and their record are put back to an older copy', from('older', DECIDING)],
  ['configuration, keys, freezes and their record are those of another store', from('other', DECIDING)],
  ['the secrets of the store are deleted', `delete from secrets`],
  ['the secrets are those of another store', from('other', ['secrets'])],
  [
    'an entry of the ledger is altered',
    `update ledger set callee = 'other@kandy.example' where writer = 1 and sequence = 3`,
  ],
  ['an entry of the ledger is deleted', `delete from ledger where writer = 1 and sequence = 3`],
  [
    'the last entry of a chain is deleted, its head is forged',
    `delete from ledger where writer = 1 and sequence = (select head_sequence from ledger_writers where number = 1); update ledger_writers set head_sequence = head_sequence - 1, head_hash = (select hash from ledger where writer = 1 order by sequence desc limit 1) where number = 1`,
  ],
  [
    'the newest chain is deleted with its row',
    `delete from ledger where writer = 3; delete from ledger_writers where number = 3`,
  ],
  [
    'the first chain is deleted with its row',
    `delete from ledger where writer = 1; delete from ledger_writers where number = 1`,
  ],
  ['the ledger is emptied', `delete from ledger; delete from ledger_writers`],
  [
    'the ledger and the record of the state are emptied',
    `delete from ledger; delete from ledger_writers; delete from state`,
  ],
  ['the ledger is put back to an older copy', from('older', ['ledger', 'ledger_writers'])],
  [
    'a finished chain without changes is put back, with its row',
    `delete from ledger where writer = 2 and sequence > 1; delete from ledger_writers where number = 2; insert into ledger_writers select * from older.ledger_writers where number = 2`,
  ],
  [
    'an anchor of retention is forged',
    `update ledger_writers set anchor_sequence = 2, anchor_hash = (select hash from ledger where writer = 1 and sequence = 2), anchor_mac = head_mac where number = 1; delete from ledger where writer = 1 and sequence <= 2`,
  ],
  ['the whole store is put back to an older copy', from('older', TABLES)],
  ['the whole store is another one, under the same key-encryption key', from('other', TABLES)],
];

describe('what somebody else does to the database', () => {
  const folder = mkdtempSync(join(tmpdir(), 'callpass-tampering-'));
  const path = join(folder, 'store.db');
  const copy = (name: string) => join(folder, `${name}.db`);
  let server: TestServer;
  let anchor: LedgerAnchor | undefined;

  const environment = (file: string, key?: string) => ({
    CALLPASS_STORE_URL: `sqlite:${file}`,
    ...(key !== undefined && { CALLPASS_KEY_ENCRYPTION_KEY: key }),
  });
  const issue = (destination = 'ecb') => server.credentials.issueCredentials({ destination });
  const sql = (statements: string) => {
    const attached = ['base', 'older', 'other'].map((other) => `attach '${copy(other)}' as ${other};`);
    execOnFile(path, `${attached.join('')} pragma foreign_keys = off; begin; ${statements}; commit`);
  };
  const keep = (name: string) => {
    execOnFile(path, `vacuum into '${copy(name)}'`);
  };
  const freezeOf = (destination: string) => ({
    scope: { scope: { case: 'destination' as const, value: destination } },
  });

  beforeAll(async () => {
    server = await startTestServer({ environment: environment(path) });
    const key = server.environment['CALLPASS_KEY_ENCRYPTION_KEY'];
    await server.configure(DOCUMENT);
    for (const [realm, text] of Object.entries(KEYS)) await server.activateKey(realm, text);
    await server.admin.freeze({ ...freezeOf('lobby'), reason: 'trial' });
    await server.stop();
    server = await startTestServer({ environment: environment(path, key) });
    await issue();
    keep('older');
    await issue();
    await server.stop();

    server = await startTestServer({ environment: environment(path, key) });
    await server.configure(DOCUMENT.replace('max: 2', 'max: 3'));
    await server.activateKey('seconds.example', 'one-more-16bytes');
    await server.admin.unfreeze(freezeOf('lobby'));
    await server.admin.freeze({ ...freezeOf('office'), reason: 'incident' });
    await issue();
    keep('base');
    anchor = (await server.ledger.getAnchor({})).anchor;

    const foreign = await startTestServer({ environment: environment(copy('other'), key) });
    await foreign.configure(DOCUMENT);
    for (const [realm, text] of Object.entries(KEYS)) await foreign.activateKey(realm, text);
    await foreign.stop();
  }, 60_000);

  afterAll(async () => {
    await server.stop();
    rmSync(folder, { recursive: true });
  });

  const found = (yes: boolean) => (yes ? 'found' : '');

  /** Asks each of them about the store as it is now. */
  async function judge(): Promise<readonly string[]> {
    const inside = await server.ledger.verifyLedger({});
    const outside = await server.ledger.verifyLedger({ anchor });
    const findings = await examine({ environment: server.environment, nowMs: START_MS });
    const doctor = findings.some(
      ({ check, state }) => state === 'problem' && ['store', 'ledger'].includes(check),
    );
    const running = await server.admin.listFreezes({}).then(
      () => false,
      () => true,
    );
    return [!inside.intact, !outside.intact, doctor, running].map(found);
  }

  it('is found by verify, by doctor or by a running server, or by an anchor that was kept elsewhere', async () => {
    expect(await judge()).toEqual(['', '', '', '']);
    const rows: string[][] = [['what is done', 'verify', 'verify --anchor', 'doctor', 'running server']];
    for (const [edit, statements] of EDITS) {
      sql(statements);
      rows.push([edit, ...(await judge())]);
      sql(from('base', TABLES));
      if ((await judge()).join('') !== '') throw new Error(`${edit}: was not undone`);
    }
    const unnoticed = rows.slice(1).filter(([, ...by]) => by.join('') === '');
    expect(unnoticed).toEqual([]);
    expect(readFileSync(PAGE, 'utf8')).toContain(tableOf(rows));
    await expect(issue()).resolves.toBeDefined();
  }, 120_000);

  it('has no remembered answer given to another request: with what the store holds it can only be refused', async () => {
    const [mine, other] = ['7b0f7a52-2a3e-4c57-9c5c-0d5c1f0f3a11', '0e5c8a3c-3d7c-4f34-8a8e-6d2d6b8f6f01'];
    const ask = (requestId: string, destination: string) =>
      server.credentials.issueCredentials({ requestId, destination });
    const [first] = [await ask(mine, 'ecb'), await ask(other, 'cbc')];
    const bodyOf = (id: string) => `(select body_hash from answers where request_id = '${id}')`;
    // By this digest the body of the other request would be taken for the one that was answered.
    sql(`update answers set body_hash = ${bodyOf(other)} where request_id = '${mine}'`);
    for (const destination of ['cbc', 'ecb'])
      expect(await refusalOf(ask(mine, destination))).toMatchObject({ reason: 'REQUEST_ID_REUSED' });
    sql(`update answers set sealed_answer = (select sealed_answer from answers where request_id = '${mine}')
      where request_id = '${other}'`);
    expect(await refusalOf(ask(other, 'cbc'))).toMatchObject({ code: 'UNAVAILABLE' });
    sql(`delete from answers`);
    expect((await ask(mine, 'ecb')).issuanceId).not.toBe(first.issuanceId);
  });

  it('is not taken by a running server, which goes on with the last state that held, nor by one that starts', async () => {
    const health = createClient(Health, server.connection);
    const administers = async () => {
      const { statuses } = await health.list({});
      return statuses['callpass.v1.AdminService']?.status === HealthCheckResponse_ServingStatus.SERVING;
    };
    const until = async (expected: boolean) => {
      while ((await administers()) !== expected) await new Promise((resolve) => setTimeout(resolve, 50));
    };
    const refusal = (call: Promise<unknown>) => refusalOf(call).then(({ reason }) => reason);
    sql(`delete from freezes; update state set version = version + 1`);
    await until(false);
    expect(await refusal(issue('office'))).toBe('FROZEN');
    await expect(issue()).resolves.toBeDefined();
    expect(await refusal(server.admin.freeze({ ...freezeOf('ecb'), reason: 'now' }))).toBe('STATE_ALTERED');
    expect(await refusal(server.ledger.getAnchor({}))).toBe('STATE_ALTERED');
    await expect(startTestServer({ environment: server.environment })).rejects.toMatchObject({
      code: 'STATE_ALTERED',
      message: expect.stringContaining('the record of the state was altered'),
    });
    sql(from('base', DECIDING));
    await until(true);
    expect(await refusal(issue('office'))).toBe('FROZEN');
    expect((await server.ledger.verifyLedger({})).intact).toBe(true);
  }, 30_000);
});

/** A table in Markdown, as prettier writes it. */
function tableOf(rows: readonly (readonly string[])[]): string {
  const widths = (rows[0] ?? []).map((_, column) => Math.max(...rows.map((row) => row[column]?.length ?? 0)));
  const line = (cells: readonly string[]) =>
    `| ${cells.map((cell, at) => cell.padEnd(widths[at] ?? 0)).join(' | ')} |`;
  const [head = [], ...body] = rows;
  return [line(head), line(widths.map((width) => '-'.repeat(width))), ...body.map(line)].join('\n');
}

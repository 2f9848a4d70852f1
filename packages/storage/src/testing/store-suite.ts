import { setImmediate } from 'node:timers/promises';
import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { verifyLedger, type StateChange, type Store } from '@callpass/domain';
import { sampleEntry, throwawayKey } from '@callpass/testkit';
import { storeConformance } from '@callpass/testkit/store-conformance';
import { backUpStore, migrateStore, openStore, resealStore, storeFile } from '../index.ts';
import { chainFaults, sampleEntries } from './chains.ts';
import { runChild } from './child.ts';
import { tamper, tamperSql } from './test-database.ts';
import type { TestDatabase } from '@callpass/testkit/postgres-server';

const REALM = 'support.example';
const NOW_MS = 1_800_000_000_000;

/** The store's conformance, and what sealing, migrations and chains promise besides, on one kind of database. */
export function storeSuite(name: string, freshDatabase: () => Promise<TestDatabase>): void {
  storeConformance(name, async () => {
    const database = await freshDatabase();
    const sealKey = throwawayKey();
    await migrateStore({ url: database.url, sealKey });
    return { open: () => openStore({ url: database.url, sealKey }), remove: () => database.remove() };
  });

  describe(`${name}`, () => {
    const sealKey = throwawayKey();
    let database: TestDatabase;
    let stores: Store[];
    const open = async (options: { sealKey?: Uint8Array; writerId?: string } = {}): Promise<Store> => {
      const store = await openStore({ url: database.url, sealKey, ...options });
      stores.push(store);
      return store;
    };

    beforeEach(async () => {
      database = await freshDatabase();
      stores = [];
    });

    afterEach(async () => {
      await Promise.all(stores.map((store) => store.close()));
      await database.remove();
    });

    describe('schema', () => {
      it('is outdated before the first migration and current after it', async () => {
        await expect(open()).rejects.toMatchObject({ code: 'SCHEMA_OUTDATED' });
        const { applied } = await migrateStore({ url: database.url, sealKey });
        expect(applied.length).toBeGreaterThan(0);
        await expect(open()).resolves.toBeDefined();
      });

      it('keeps everything when it is migrated again, and applies nothing', async () => {
        await migrateStore({ url: database.url, sealKey });
        const secret = Buffer.from((await open()).ledgerSecret).toString('hex');
        expect(await migrateStore({ url: database.url, sealKey })).toEqual({
          applied: [],
          created: false,
        });
        expect(Buffer.from((await open()).ledgerSecret).toString('hex')).toBe(secret);
      });

      it('is made once when two processes migrate at once', async () => {
        const both = await Promise.all(
          [1, 2].map(() => runChild('migrate-child.ts', [database.url, hex(sealKey)])),
        );
        expect(both.join('')).toBe(
          '0001-state-and-ledger\n0002-anchors\n0003-entry-version\n0004-sealed-state',
        );
        await expect(open()).resolves.toBeDefined();
      });

      it('of a newer version is neither opened nor migrated', async () => {
        await migrateStore({ url: database.url, sealKey });
        await tamperSql(
          database.url,
          `insert into schema_migrations values ('9999-later', '2027-01-01T00:00:00Z')`,
        );
        await expect(open()).rejects.toMatchObject({ code: 'SCHEMA_TOO_NEW' });
        await expect(migrateStore({ url: database.url, sealKey })).rejects.toMatchObject({
          code: 'SCHEMA_TOO_NEW',
        });
      });
    });

    it('is backed up into a new file exactly if it is in a file itself', async () => {
      await migrateStore({ url: database.url, sealKey });
      const folder = await mkdtemp(join(tmpdir(), 'callpass-backup-'));
      const backedUp = await backUpStore({ url: database.url, to: join(folder, 'copy.db') }).then(
        () => true,
        (error: unknown) => !(error instanceof TypeError),
      );
      expect(backedUp).toBe(storeFile(database.url) !== undefined);
      expect(await readdir(folder)).toEqual(backedUp ? ['copy.db'] : []);
      await rm(folder, { recursive: true });
    });

    describe('sealing', () => {
      beforeEach(() => migrateStore({ url: database.url, sealKey }));

      it('does not open with another key-encryption key, nor migrate under it', async () => {
        const wrong = throwawayKey();
        await expect(open({ sealKey: wrong })).rejects.toMatchObject({ code: 'SEAL_KEY_WRONG' });
        await expect(migrateStore({ url: database.url, sealKey: wrong })).rejects.toMatchObject({
          code: 'SEAL_KEY_WRONG',
        });
      });

      it('keeps planted keys, tokens and subjects out of a copy, in clear, hexadecimal and base64', async () => {
        const store = await open();
        const planted = ['canary-key-16byte', 'canary-token-of-a-caller', 'canary-subject@example.org'];
        const [keyText, token, subject] = planted as [string, string, string];
        const secret = Buffer.from(store.ledgerSecret);
        await store.record(sampleEntry(), { change: addKey(Buffer.from(keyText)) });
        await store.record(
          sampleEntry({
            visitor: { clear: subject },
            fingerprints: undefined,
            destination: 'findable-destination',
          }),
          {
            change: remember(Buffer.from(token)),
            tokens: { account: token, from: `${token}-from`, to: `${token}-to` },
          },
        );
        await expect(
          store.findAnswer({ client: 'web-edge', requestId: '8d0f', nowMs: NOW_MS }),
        ).resolves.toBeDefined();

        const dump = (await database.dump()).toString('latin1').toLowerCase();
        expect(dump).toContain('findable-destination');
        for (const text of [...planted.map((value) => Buffer.from(value)), secret, Buffer.from(sealKey)]) {
          for (const form of ['latin1', 'hex', 'base64', 'base64url'] as const) {
            expect(dump.includes(text.toString(form).replace(/=+$/, '').toLowerCase())).toBe(false);
          }
        }
      });

      it('refuses a sealed key that was moved to another realm', async () => {
        const store = await open();
        await store.record(sampleEntry(), { change: addKey(throwawayKey(16)) });
        await tamperSql(database.url, `update realm_keys set realm = 'other.example'`);
        await expect(store.loadState()).rejects.toMatchObject({ code: 'STATE_ALTERED' });
      });

      it.each([
        [
          'a row that was put in',
          `insert into freezes (kind, value, reason, freeze_time_ms, frozen_by) values ('REALM', 'x', '', 1, 'x')`,
        ],
        ['a freeze that ends early', `update freezes set until_ms = 1`],
        ['a freeze that is gone', `delete from freezes`],
        ['a key in another state', `update realm_keys set state = 'ACTIVE'`],
        ['a document that was altered', `update revisions set document = sealed_text from realm_keys`],
        ['a counter that was put back', `update state set change_count = 0`],
        ['a MAC that is gone', `update state set mac = null`],
        ['a record that is gone', `delete from state`],
      ])('is neither read nor changed with %s, and verifying finds it', async (_, statement) => {
        const store = await open();
        const freeze = {
          scope: { kind: 'DESTINATION', value: 'support' },
          ...{ reason: 'incident', freezeTimeMs: NOW_MS, untilMs: undefined, frozenBy: 'ops' },
        } as const;
        const configuration = {
          kind: 'applyConfiguration',
          ...{
            document: Buffer.from('document'),
            expectedRevision: 0,
            applyTimeMs: NOW_MS,
            appliedBy: 'ops',
          },
        } as const;
        await store.record(sampleEntry(), { change: addKey(throwawayKey(16)) });
        await store.record(sampleEntry(), { change: { kind: 'freeze', freeze } });
        await store.record(sampleEntry(), { change: configuration });
        expect((await verifyLedger(store)).faults).toEqual([]);
        await tamperSql(database.url, statement);
        await expect(store.loadState()).rejects.toMatchObject({ code: 'STATE_ALTERED' });
        await expect(store.checkState()).rejects.toMatchObject({ code: 'STATE_ALTERED' });
        const scope = { kind: 'REALM', value: REALM } as const;
        const change = { kind: 'freeze', freeze: { ...freeze, scope } } as const;
        await expect(store.record(sampleEntry(), { change })).rejects.toMatchObject({
          code: 'STATE_ALTERED',
        });
        await expect(store.record(sampleEntry())).resolves.toEqual({ outcome: 'recorded' });
        expect((await verifyLedger(store)).faults.length).toBeGreaterThan(0);
        await expect(migrateStore({ url: database.url, sealKey })).resolves.toMatchObject({ applied: [] });
        await expect(store.loadState()).rejects.toMatchObject({ code: 'STATE_ALTERED' });
        const newKey = throwawayKey();
        await expect(resealStore({ url: database.url, oldKey: sealKey, newKey })).rejects.toMatchObject({
          code: 'STATE_ALTERED',
        });
      });

      it('keeps changes that come together in order, one that cannot be made among them', async () => {
        const store = await open();
        const freeze = (value: string) => ({
          kind: 'freeze' as const,
          freeze: {
            scope: { kind: 'CLIENT' as const, value },
            ...{ reason: 'flood', frozenBy: 'ops', untilMs: undefined },
            freezeTimeMs: NOW_MS,
          },
        });
        const unknown = { kind: 'unfreeze' as const, scope: { kind: 'CLIENT' as const, value: 'nobody' } };
        const record = (change: StateChange) => store.record(sampleEntry(), { change });
        const names = Array.from({ length: 60 }, (_, at) => `client-${at}`);
        const outcomes = await Promise.all([
          ...names.slice(0, 30).map((name) => record(freeze(name))),
          record(unknown),
          ...names.slice(30).map((name) => record(freeze(name))),
        ]);
        expect(outcomes.filter(({ outcome }) => outcome !== 'recorded')).toEqual([
          { outcome: 'freezeUnknown' },
        ]);
        expect((await store.loadState()).freezes).toHaveLength(names.length);
        expect((await store.readStateRecord()).changeCount).toBe(names.length);
        expect((await verifyLedger(store)).faults).toEqual([]);
      });

      it('seals everything anew under another key, so that only that one opens it', async () => {
        const store = await open();
        const keyText = throwawayKey(16);
        const expected = Buffer.from(keyText).toString('hex');
        await store.record(sampleEntry(), { change: addKey(keyText) });
        await store.record(sampleEntry(), { change: remember(Buffer.from('the answer')) });
        const secret = Buffer.from(store.ledgerSecret).toString('hex');
        await store.close();

        const newKey = throwawayKey();
        const { resealed } = await resealStore({ url: database.url, oldKey: sealKey, newKey });
        expect(resealed).toBe(4);
        await expect(open()).rejects.toMatchObject({ code: 'SEAL_KEY_WRONG' });
        const again = await open({ sealKey: newKey });
        const [key] = (await again.loadState()).keys;
        expect(Buffer.from(key?.keyText ?? []).toString('hex')).toBe(expected);
        expect(Buffer.from(again.ledgerSecret).toString('hex')).toBe(secret);
        const found = await again.findAnswer({ client: 'web-edge', requestId: '8d0f', nowMs: NOW_MS });
        expect(Buffer.from(found?.answer ?? []).toString()).toBe('the answer');
      });

      it('reseals nothing when the former key is wrong', async () => {
        const newKey = throwawayKey();
        await expect(
          resealStore({ url: database.url, oldKey: throwawayKey(), newKey }),
        ).rejects.toMatchObject({ code: 'SEAL_KEY_WRONG' });
        await expect(open()).resolves.toBeDefined();
      });

      it('gives everything that stops, and no key, to an instance that runs with a former key', async () => {
        const store = await open();
        await store.record(sampleEntry(), { change: addKey(throwawayKey(16)) });
        expect(await store.loadState()).toMatchObject({ sealedAnew: false, freezes: [] });
        const newKey = throwawayKey();
        await resealStore({ url: database.url, oldKey: sealKey, newKey });
        const other = await open({ sealKey: newKey });
        const freeze = {
          scope: { kind: 'REALM', value: 'support.example' },
          ...{ reason: 'leak', freezeTimeMs: NOW_MS, untilMs: undefined, frozenBy: 'operator' },
        } as const;
        await other.record(sampleEntry(), { change: { kind: 'freeze', freeze } });
        const state = await store.loadState();
        expect(state).toMatchObject({ sealedAnew: true, freezes: [freeze] });
        expect(state.keys).toMatchObject([{ state: 'PENDING', keyText: undefined }]);
        expect(await other.loadState()).toMatchObject({ sealedAnew: false, version: state.version });
      });

      it('seals nothing more with a former key in an instance that still runs with it', async () => {
        const store = await open();
        await resealStore({ url: database.url, oldKey: sealKey, newKey: throwawayKey() });
        await expect(store.record(sampleEntry(), { change: addKey(throwawayKey(16)) })).rejects.toMatchObject(
          {
            code: 'SEAL_KEY_WRONG',
          },
        );
        await expect(store.record(sampleEntry())).resolves.toEqual({ outcome: 'recorded' });
      });
    });

    describe('chain', () => {
      beforeEach(() => migrateStore({ url: database.url, sealKey }));

      it('goes on where it ended when a writer is given by name', async () => {
        const first = await open({ writerId: 'instance-1' });
        await first.record(sampleEntry());
        await first.close();
        const second = await open({ writerId: 'instance-1' });
        await second.record(sampleEntry());
        expect(chainFaults(await sampleEntries(second))).toEqual([]);
        expect(await writers()).toMatchObject([{ number: 1, writer_id: 'instance-1', head_sequence: 2 }]);
      });

      it('neither forks nor breaks when two processes write under one name', async () => {
        const both = [await open({ writerId: 'shared' }), await open({ writerId: 'shared' })];
        await Promise.all(
          Array.from({ length: 60 }, async (_, index) => {
            const store = both[index % 2] as Store;
            for (;;) {
              const outcome = await store.record(sampleEntry()).catch(() => undefined);
              if (outcome) return;
              await setImmediate();
            }
          }),
        );
        const [store] = both as [Store];
        expect(await sampleEntries(store)).toHaveLength(60);
        expect(chainFaults(await sampleEntries(store))).toEqual([]);
        expect(await writers()).toHaveLength(1);
      });

      it('begins for an instance with its first entry, and numbers chains without gaps', async () => {
        const [, second, third] = [await open(), await open(), await open()];
        await second.record(sampleEntry());
        await third.record(sampleEntry());
        expect((await writers()).map((writer) => writer.number)).toEqual([1, 2]);
      });

      it('is not gone on with after its recorded end was set back', async () => {
        const store = await open();
        await store.record(sampleEntry());
        const [before] = await writers();
        await store.record(sampleEntry());
        await tamper(database.url, async (db) => {
          await db.deleteFrom('ledger').where('sequence', '=', 2).execute();
          await db
            .updateTable('ledger_writers')
            .set({
              head_sequence: 1,
              head_hash: before?.head_hash as Uint8Array,
              head_mac: before?.head_mac as Uint8Array,
            })
            .execute();
        });
        await expect(store.record(sampleEntry())).rejects.toMatchObject({ code: 'LEDGER_UNAVAILABLE' });
      });

      it('is not gone on with from an end that this service did not record', async () => {
        const store = await open({ writerId: 'instance-1' });
        await store.record(sampleEntry());
        await store.record(sampleEntry());
        const [entry] = await sampleEntries(store);
        await store.close();
        await tamper(database.url, async (db) => {
          await db.deleteFrom('ledger').where('sequence', '=', 2).execute();
          await db
            .updateTable('ledger_writers')
            .set({ head_sequence: 1, head_hash: entry?.hash as Uint8Array })
            .execute();
        });
        const again = await open({ writerId: 'instance-1' });
        await expect(again.record(sampleEntry())).rejects.toMatchObject({ code: 'LEDGER_UNAVAILABLE' });
      });

      it('shows an entry that was altered in the database', async () => {
        const store = await open();
        await store.record(sampleEntry());
        await store.record(sampleEntry());
        await tamperSql(database.url, `update ledger set callee = 'other@kandy.example' where sequence = 2`);
        expect(chainFaults(await sampleEntries(store))).toEqual(['was altered']);
      });
    });

    it('starts another thread when it loses one, and says so to whoever waited for it', async () => {
      await migrateStore({ url: database.url, sealKey });
      const printed = await runChild('thread-loss-child.ts', [database.url, hex(sealKey)]);
      expect(JSON.parse(printed)).toEqual({
        outcome: 'STORE_UNAVAILABLE',
        version: 0,
        ids: ['before', 'after'],
        faults: [],
        threads: 3,
      });
    }, 30_000);

    it('purges expired answers as new ones are remembered', async () => {
      await migrateStore({ url: database.url, sealKey });
      const store = await open();
      const remembered = (requestId: string, nowMs: number) => ({
        ...remember(Buffer.from('answer')),
        requestId,
        nowMs,
        expireTimeMs: nowMs + 600_000,
      });
      await Promise.all(
        Array.from({ length: 40 }, (_, index) =>
          store.record(sampleEntry(), { change: remembered(`old-${index}`, NOW_MS) }),
        ),
      );
      for (const requestId of ['new-1', 'new-2', 'new-3']) {
        await store.record(sampleEntry(), { change: remembered(requestId, NOW_MS + 600_000) });
      }
      const left = await tamper(database.url, (db) =>
        db.selectFrom('answers').select('request_id').execute(),
      );
      expect(left.map((row) => row.request_id).sort()).toEqual(['new-1', 'new-2', 'new-3']);
    });

    const writers = () =>
      tamper(database.url, (db) => db.selectFrom('ledger_writers').selectAll().orderBy('number').execute());
  });
}

function hex(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString('hex');
}

function addKey(keyText: Uint8Array) {
  return {
    kind: 'addKey',
    realm: REALM,
    version: 1,
    keyText,
    fingerprint: '00112233aabbccdd',
    createTimeMs: NOW_MS,
  } as const;
}

function remember(answer: Uint8Array) {
  return {
    kind: 'rememberAnswer',
    client: 'web-edge',
    requestId: '8d0f',
    bodyHash: throwawayKey(),
    answer,
    nowMs: NOW_MS,
    expireTimeMs: NOW_MS + 600_000,
  } as const;
}

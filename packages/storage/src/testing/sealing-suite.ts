import { beforeEach, describe, expect, it } from '@jest/globals';
import { verifyLedger, type StateChange } from '@callpass/domain';
import { sampleEntry, throwawayKey } from '@callpass/testkit';
import { migrateStore, resealStore } from '../index.ts';
import { addKey, NOW_MS, REALM, remember } from './state-changes.ts';
import type { SuiteDatabase } from './suite-database.ts';
import { tamperSql } from './test-database.ts';

/** That what a store has sealed is read and altered by nobody without its key. */
export function sealingSuite(database: SuiteDatabase): void {
  const { sealKey, open } = database;
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
      await expect(resealStore({ url: database.url, oldKey: throwawayKey(), newKey })).rejects.toMatchObject({
        code: 'SEAL_KEY_WRONG',
      });
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
      await expect(store.record(sampleEntry(), { change: addKey(throwawayKey(16)) })).rejects.toMatchObject({
        code: 'SEAL_KEY_WRONG',
      });
      await expect(store.record(sampleEntry())).resolves.toEqual({ outcome: 'recorded' });
    });
  });
}

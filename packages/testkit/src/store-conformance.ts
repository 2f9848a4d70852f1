import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import {
  faultOf,
  KeyedHash,
  newChain,
  type ChainHead,
  type LedgerEntry,
  type StateChange,
  type Store,
} from '@callpass/domain';
import { ledgerConformance, type ConformanceDatabase } from './ledger-conformance.ts';
import { sampleEntry } from './sample-entry.ts';
import { throwawayKey } from './throwaway-key.ts';

const NOW_MS = 1_800_000_000_000;
const REALM = 'support.example';

/** Conformance tests of the store port. Every store must pass them. */
export function storeConformance(name: string, openFresh: () => Promise<ConformanceDatabase>): void {
  ledgerConformance(name, openFresh);

  describe(`${name} keeps the store's promises`, () => {
    let database: ConformanceDatabase;
    let stores: Store[];
    let store: Store;

    const openAnother = async (): Promise<Store> => {
      const another = await database.open();
      stores.push(another);
      return another;
    };

    beforeEach(async () => {
      database = await openFresh();
      stores = [];
      store = await openAnother();
    });

    afterEach(async () => {
      await Promise.all(stores.map((opened) => opened.close()));
      await database.remove();
    });

    describe('ledger', () => {
      it('gives back every field of an entry as it was recorded', async () => {
        const entry = sampleEntry({ callee: 'süd@kandy.example', rule: 'ночь' });
        expect(await store.record(entry)).toEqual({ outcome: 'recorded' });
        const [found] = await issued(store);
        const { visitor, ...same } = entry;
        expect(visitor).toEqual({ hash: found?.subjectHash });
        expect(plain(found)).toMatchObject(plain(same));
        expect(found && faultOf(newChain(found.writerId), found)).toBeUndefined();
      });

      it('keeps 500 concurrent records in the order of the calls, in one unbroken chain', async () => {
        const ids = Array.from({ length: 500 }, (_, index) => `issue-${index}`);
        await Promise.all(ids.map((issuanceId) => store.record(sampleEntry({ issuanceId }))));
        const entries = await issued(store);
        expect(entries.map((entry) => entry.issuanceId)).toEqual(ids);
        expectUnbroken(entries);
      });

      it('finds issues by exactly their time and realm, and nothing but issues', async () => {
        await store.record(sampleEntry({ issuanceId: 'sought' }));
        await store.record(sampleEntry({ timeMs: NOW_MS + 1 }));
        await store.record(sampleEntry({ realm: 'other.example' }));
        await store.record(sampleEntry({ kind: 'REFUSED', fingerprints: undefined }));
        expect((await issued(store)).map((entry) => entry.issuanceId)).toEqual(['sought']);
        expect(await store.findIssued({ realm: REALM, timeMs: NOW_MS - 1 })).toEqual([]);
      });

      it('keeps of the tokens of an issue their fingerprints alone, each at its entry', async () => {
        const hash = new KeyedHash(store.ledgerSecret);
        const tokensOf = (name: string) => ({ account: `${name}-A`, from: `${name}-F`, to: `${name}-T` });
        const bare = { fingerprints: undefined };
        await Promise.all([
          store.record(sampleEntry({ ...bare, issuanceId: 'none' })),
          store.record(sampleEntry({ ...bare, issuanceId: 'first' }), { tokens: tokensOf('first') }),
          store.record(sampleEntry({ issuanceId: 'given' })),
          store.record(sampleEntry({ ...bare, issuanceId: 'second' }), {
            tokens: tokensOf('second'),
            change: remember('8d0f', 'answer'),
          }),
        ]);
        const entries = await issued(store);
        expectUnbroken(entries);
        const [none, first, given, second] = entries.map((entry) => entry.fingerprints);
        expect(none).toBeUndefined();
        expect(plain(first)).toEqual(plain(hash.tokens(tokensOf('first'))));
        expect(plain(second)).toEqual(plain(hash.tokens(tokensOf('second'))));
        expect(given).toBeDefined();
      });

      it('keeps of a subject its keyed hash alone', async () => {
        await store.record(
          sampleEntry({ visitor: { clear: 'visitor-in-clear' }, issuanceId: 'of-a-subject' }),
        );
        const [entry] = (await issued(store)).filter(({ issuanceId }) => issuanceId === 'of-a-subject');
        expect(entry?.subjectHash).toBe(new KeyedHash(store.ledgerSecret).subject('visitor-in-clear'));
        await expect(store.record(sampleEntry({ visitor: { clear: 'x'.repeat(8193) } }))).rejects.toThrow(
          TypeError,
        );
      });

      it('refuses tokens that it cannot fingerprint and still records the others', async () => {
        const tokens = { account: 'A', from: 'F', to: 'T' };
        const entry = sampleEntry({ fingerprints: undefined, issuanceId: 'good' });
        const good = store.record(entry, { tokens });
        const tooLong = { ...tokens, to: 'x'.repeat(8193) };
        await expect(store.record(entry, { tokens: tooLong })).rejects.toThrow(TypeError);
        await expect(store.record(sampleEntry(), { tokens })).rejects.toThrow(TypeError);
        await good;
        expect((await issued(store)).map((found) => found.issuanceId)).toEqual(['good']);
      });

      it('holds text that no database takes as it is, in a chain that still verifies', async () => {
        await store.record(sampleEntry({ reason: 'nul \0 and half \ud800 a pair' }));
        await store.record(sampleEntry());
        expectUnbroken(await issued(store));
      });

      it('refuses an entry without canonical form and still records the others', async () => {
        const good = store.record(sampleEntry({ issuanceId: 'good' }));
        await expect(store.record(sampleEntry({ keyVersion: 1.5 }))).rejects.toThrow();
        await expect(store.record(sampleEntry({ timeMs: -1 }))).rejects.toThrow();
        await good;
        const entries = await issued(store);
        expect(entries.map((entry) => entry.issuanceId)).toEqual(['good']);
        expectUnbroken(entries);
      });

      it('keeps its entries when it is opened again, beside an unbroken chain of what follows', async () => {
        await store.record(sampleEntry({ issuanceId: 'before' }));
        await store.close();
        const again = await openAnother();
        await again.record(sampleEntry({ issuanceId: 'after' }));
        const entries = await issued(again);
        expect(entries.map((entry) => entry.issuanceId)).toEqual(['before', 'after']);
        expectUnbroken(entries);
      });

      it('lets two instances write at once, each to an unbroken chain of its own', async () => {
        const other = await openAnother();
        await Promise.all(
          Array.from({ length: 200 }, (_, index) => (index % 2 ? store : other).record(sampleEntry())),
        );
        const entries = await issued(store);
        expect(new Set(entries.map((entry) => entry.writerId)).size).toBe(2);
        expect(entries).toHaveLength(200);
        expectUnbroken(entries);
      });
    });

    describe('configuration', () => {
      it('has no revision at first', async () => {
        const state = await store.loadState();
        expect(state).toEqual({
          version: await store.stateVersion(),
          revision: undefined,
          keys: [],
          freezes: [],
          sealedAnew: false,
        });
        expect(await store.getRevision(1)).toBeUndefined();
        expect(await store.listRevisions({ beforeRevision: 0, limit: 10 })).toEqual([]);
      });

      it('gives back each applied document, byte for byte', async () => {
        await apply(store, 0, 'first');
        await apply(store, 1, 'second');
        const { revision } = await store.loadState();
        expect(revision).toMatchObject({ revision: 2, applyTimeMs: NOW_MS, appliedBy: 'operator' });
        expect(text(revision?.document)).toBe('second');
        expect(text((await store.getRevision(1))?.document)).toBe('first');
      });

      it('lists revisions newest first, page by page', async () => {
        for (let revision = 0; revision < 5; revision++) await apply(store, revision, `document ${revision}`);
        const newest = await store.listRevisions({ beforeRevision: 0, limit: 2 });
        expect(newest.map((record) => record.revision)).toEqual([5, 4]);
        const next = await store.listRevisions({ beforeRevision: 4, limit: 10 });
        expect(next.map((record) => record.revision)).toEqual([3, 2, 1]);
      });

      it('lets one of two operators win who apply at once over two instances', async () => {
        const other = await openAnother();
        await apply(store, 0, 'first');
        const outcomes = await Promise.all([apply(store, 1, 'mine'), apply(other, 1, 'theirs')]);
        expect(outcomes.map((outcome) => outcome.outcome).sort()).toEqual(['recorded', 'revisionConflict']);
        expect(outcomes.find((outcome) => outcome.outcome === 'revisionConflict')).toEqual({
          outcome: 'revisionConflict',
          currentRevision: 2,
        });
        expect(await store.listRevisions({ beforeRevision: 0, limit: 10 })).toHaveLength(2);
      });

      it('writes no entry for a change that a conflict kept out, and all entries around it', async () => {
        const results = await Promise.all([
          store.record(sampleEntry({ issuanceId: 'one' })),
          store.record(sampleEntry({ issuanceId: 'conflict' }), { change: applyChange(9, 'stale') }),
          store.record(sampleEntry({ issuanceId: 'two' })),
        ]);
        expect(results.map((result) => result.outcome)).toEqual(['recorded', 'revisionConflict', 'recorded']);
        const entries = await issued(store);
        expect(entries.map((entry) => entry.issuanceId)).toEqual(['one', 'two']);
        expectUnbroken(entries);
      });
    });

    describe('state version', () => {
      it('changes with configuration, keys and freezes, on every instance', async () => {
        const other = await openAnother();
        const changes: StateChange[] = [
          applyChange(0, 'document'),
          addKey(1),
          move(1, 'PENDING', 'ACTIVE'),
          { kind: 'freeze', freeze: FREEZE },
          { kind: 'unfreeze', scope: FREEZE.scope },
        ];
        const versions = [await other.stateVersion()];
        for (const change of changes) {
          expect(await store.record(sampleEntry(), { change: change })).toEqual({ outcome: 'recorded' });
          versions.push(await other.stateVersion());
          expect((await other.loadState()).version).toBe(versions.at(-1));
        }
        expect(new Set(versions).size).toBe(changes.length + 1);
      });

      it('stays as it is after entries, answers and conflicts', async () => {
        const before = await store.stateVersion();
        await store.record(sampleEntry());
        await store.record(sampleEntry(), { change: remember('8d0f', 'answer') });
        await store.record(sampleEntry(), { change: applyChange(3, 'stale') });
        await store.record(sampleEntry(), { change: addKey(7) });
        expect(await store.stateVersion()).toBe(before);
      });
    });

    describe('keys', () => {
      it('keeps the text of a key and its times through its life, and destroys it for good', async () => {
        const keyText = throwawayKey(16);
        const expected = Uint8Array.from(keyText);
        await store.record(sampleEntry(), { change: { ...addKey(1), keyText } });
        await store.record(sampleEntry(), { change: move(1, 'PENDING', 'ACTIVE', { timeMs: NOW_MS + 1 }) });
        await store.record(sampleEntry(), {
          change: move(1, 'ACTIVE', 'RETIRED', { timeMs: NOW_MS + 2, validateUntilMs: NOW_MS + 900 }),
        });
        const other = await openAnother();
        const [retired] = (await other.loadState()).keys;
        expect(retired).toMatchObject({
          realm: REALM,
          version: 1,
          state: 'RETIRED',
          fingerprint: '00112233aabbccdd',
          createTimeMs: NOW_MS,
          activateTimeMs: NOW_MS + 1,
          retireTimeMs: NOW_MS + 2,
          destroyTimeMs: undefined,
          validateUntilMs: NOW_MS + 900,
        });
        expect(bytes(retired?.keyText)).toEqual(bytes(expected));

        await store.record(sampleEntry(), {
          change: move(1, 'RETIRED', 'DESTROYED', { timeMs: NOW_MS + 3 }),
        });
        const [destroyed] = (await other.loadState()).keys;
        expect(destroyed).toMatchObject({
          state: 'DESTROYED',
          destroyTimeMs: NOW_MS + 3,
          keyText: undefined,
        });
      });

      it('lists keys by realm, newest version first', async () => {
        for (const realm of ['b.example', 'a.example']) {
          for (const version of [1, 2])
            await store.record(sampleEntry(), { change: { ...addKey(version), realm } });
        }
        const { keys } = await store.loadState();
        expect(keys.map((key) => `${key.realm} ${key.version}`)).toEqual([
          'a.example 2',
          'a.example 1',
          'b.example 2',
          'b.example 1',
        ]);
      });

      it('takes only the next version of a realm', async () => {
        expect(await store.record(sampleEntry(), { change: addKey(2) })).toEqual({ outcome: 'keyConflict' });
        const racing = await Promise.all([
          store.record(sampleEntry(), { change: addKey(1) }),
          store.record(sampleEntry(), { change: addKey(1) }),
        ]);
        expect(racing).toEqual([{ outcome: 'recorded' }, { outcome: 'keyConflict' }]);
        expect((await store.loadState()).keys).toHaveLength(1);
      });

      it('moves all keys of a change or none', async () => {
        await store.record(sampleEntry(), { change: addKey(1) });
        await store.record(sampleEntry(), { change: addKey(2) });
        await store.record(sampleEntry(), { change: move(1, 'PENDING', 'ACTIVE') });
        const moves = [...move(1, 'ACTIVE', 'RETIRED').moves, ...move(2, 'ACTIVE', 'RETIRED').moves];
        expect(await store.record(sampleEntry(), { change: { kind: 'moveKeys', moves } })).toEqual({
          outcome: 'keyConflict',
        });
        const { keys } = await store.loadState();
        expect(keys.map((key) => key.state)).toEqual(['PENDING', 'ACTIVE']);
      });

      it('never has two active keys for a realm, even when two operators activate at once', async () => {
        const other = await openAnother();
        await store.record(sampleEntry(), { change: addKey(1) });
        await store.record(sampleEntry(), { change: addKey(2) });
        const outcomes = await Promise.all([
          store.record(sampleEntry(), { change: move(1, 'PENDING', 'ACTIVE') }),
          other.record(sampleEntry(), { change: move(2, 'PENDING', 'ACTIVE') }),
        ]);
        expect(outcomes.map((outcome) => outcome.outcome).sort()).toEqual(['keyConflict', 'recorded']);
        const { keys } = await store.loadState();
        expect(keys.filter((key) => key.state === 'ACTIVE')).toHaveLength(1);
      });
    });

    describe('freezes', () => {
      it('freezes, freezes anew with another reason, and lifts', async () => {
        await store.record(sampleEntry(), { change: { kind: 'freeze', freeze: FREEZE } });
        const longer = { ...FREEZE, reason: 'worse than thought', untilMs: NOW_MS + 60_000 };
        await store.record(sampleEntry(), { change: { kind: 'freeze', freeze: longer } });
        expect((await store.loadState()).freezes).toEqual([longer]);
        expect(
          await store.record(sampleEntry(), { change: { kind: 'unfreeze', scope: FREEZE.scope } }),
        ).toEqual({
          outcome: 'recorded',
        });
        expect((await store.loadState()).freezes).toEqual([]);
      });

      it('says so when nothing is frozen under a scope', async () => {
        await store.record(sampleEntry(), { change: { kind: 'freeze', freeze: FREEZE } });
        const scope = { kind: 'CLIENT', value: FREEZE.scope.value } as const;
        expect(await store.record(sampleEntry(), { change: { kind: 'unfreeze', scope } })).toEqual({
          outcome: 'freezeUnknown',
        });
      });
    });

    describe('remembered answers', () => {
      it('remembers an answer under its client and request id', async () => {
        await store.record(sampleEntry(), { change: remember('8d0f', 'the answer') });
        const query = { client: 'web-edge', requestId: '8d0f', nowMs: NOW_MS };
        const found = await store.findAnswer(query);
        expect(text(found?.answer)).toBe('the answer');
        expect(bytes(found?.bodyHash)).toEqual(bytes(BODY_HASH));
        expect(await store.findAnswer({ ...query, client: 'other' })).toBeUndefined();
        expect(await store.findAnswer({ ...query, requestId: '8d10' })).toBeUndefined();
      });

      it('gives the first answer to all who claim the id later, and records nothing for them', async () => {
        const outcomes = await Promise.all(
          ['first', 'second', 'third'].map((answer) =>
            store.record(sampleEntry({ issuanceId: answer }), { change: remember('8d0f', answer) }),
          ),
        );
        expect(outcomes.map((outcome) => outcome.outcome)).toEqual([
          'recorded',
          'answeredBefore',
          'answeredBefore',
        ]);
        for (const outcome of outcomes.slice(1)) {
          expect(outcome.outcome === 'answeredBefore' && text(outcome.answer)).toBe('first');
        }
        expect((await issued(store)).map((entry) => entry.issuanceId)).toEqual(['first']);
      });

      it('forgets an answer at the moment it expires, and lets the id be claimed again', async () => {
        await store.record(sampleEntry(), { change: remember('8d0f', 'old') });
        const query = { client: 'web-edge', requestId: '8d0f' };
        expect(await store.findAnswer({ ...query, nowMs: NOW_MS + 599_999 })).toBeDefined();
        expect(await store.findAnswer({ ...query, nowMs: NOW_MS + 600_000 })).toBeUndefined();
        const later = {
          ...remember('8d0f', 'new'),
          nowMs: NOW_MS + 600_000,
          expireTimeMs: NOW_MS + 1_200_000,
        };
        expect(await store.record(sampleEntry(), { change: later })).toEqual({ outcome: 'recorded' });
        expect(text((await store.findAnswer({ ...query, nowMs: NOW_MS + 600_000 }))?.answer)).toBe('new');
      });

      it('gives one issuance for each of 100 request ids that race over two instances in opposite order', async () => {
        const other = await openAnother();
        const ids = Array.from({ length: 100 }, (_, index) => `request-${index}`);
        const [mine, theirs] = await Promise.all([
          Promise.all(
            ids.map((id) => store.record(sampleEntry({ issuanceId: id }), { change: remember(id, 'mine') })),
          ),
          Promise.all(
            ids
              .toReversed()
              .map((id) => other.record(sampleEntry({ issuanceId: id }), { change: remember(id, 'theirs') })),
          ),
        ]);
        theirs.reverse();
        ids.forEach((_, index) => {
          const pair = [mine[index]?.outcome, theirs[index]?.outcome].sort();
          expect(pair).toEqual(['answeredBefore', 'recorded']);
        });
        const entries = await issued(store);
        expect(entries.map((entry) => entry.issuanceId).sort()).toEqual(ids.toSorted());
        expectUnbroken(entries);
      });
    });

    describe('opening and closing', () => {
      it('has the same ledger secret on every instance and after opening again', async () => {
        const secret = bytes(store.ledgerSecret);
        expect(secret).toHaveLength(64);
        const other = await openAnother();
        expect(bytes(other.ledgerSecret)).toBe(secret);
        await other.close();
        expect(bytes((await openAnother()).ledgerSecret)).toBe(secret);
      });

      it('finishes what it accepted before it closes', async () => {
        const records = Array.from({ length: 50 }, () => store.record(sampleEntry()));
        await store.close();
        await expect(Promise.all(records)).resolves.toHaveLength(50);
        expect(await issued(await openAnother())).toHaveLength(50);
      });

      it('refuses with a reason once closed, and closes twice without harm', async () => {
        await store.close();
        await store.close();
        await expect(store.record(sampleEntry())).rejects.toMatchObject({ code: 'LEDGER_UNAVAILABLE' });
        await expect(store.probe()).rejects.toMatchObject({ code: 'STORE_UNAVAILABLE' });
        await expect(store.loadState()).rejects.toMatchObject({ code: 'STORE_UNAVAILABLE' });
      });

      it('answers a probe', async () => {
        await expect(store.probe()).resolves.toBeUndefined();
      });
    });
  });
}

const BODY_HASH = throwawayKey(32);

const FREEZE = {
  scope: { kind: 'DESTINATION', value: 'support' },
  reason: 'fraud suspected',
  freezeTimeMs: NOW_MS,
  untilMs: undefined,
  frozenBy: 'operator',
} as const;

function applyChange(expectedRevision: number, document: string): StateChange {
  return {
    kind: 'applyConfiguration',
    document: Buffer.from(document),
    expectedRevision,
    applyTimeMs: NOW_MS,
    appliedBy: 'operator',
  };
}

function apply(store: Store, expectedRevision: number, document: string) {
  return store.record(sampleEntry({ kind: 'CONFIGURATION_APPLIED', fingerprints: undefined }), {
    change: applyChange(expectedRevision, document),
  });
}

function addKey(version: number) {
  return {
    kind: 'addKey',
    realm: REALM,
    version,
    keyText: throwawayKey(16),
    fingerprint: '00112233aabbccdd',
    createTimeMs: NOW_MS,
  } as const;
}

function move(
  version: number,
  from: 'PENDING' | 'ACTIVE' | 'RETIRED',
  to: 'ACTIVE' | 'RETIRED' | 'DESTROYED',
  times: { timeMs: number; validateUntilMs?: number } = { timeMs: NOW_MS },
) {
  return { kind: 'moveKeys', moves: [{ realm: REALM, version, from, to, ...times }] } as const;
}

function remember(requestId: string, answer: string) {
  return {
    kind: 'rememberAnswer',
    client: 'web-edge',
    requestId,
    bodyHash: BODY_HASH,
    answer: Buffer.from(answer),
    nowMs: NOW_MS,
    expireTimeMs: NOW_MS + 600_000,
  } as const;
}

function issued(store: Store): Promise<readonly LedgerEntry[]> {
  return store.findIssued({ realm: REALM, timeMs: NOW_MS });
}

/** Checks that each writer's entries form a complete chain from its start. */
function expectUnbroken(entries: readonly LedgerEntry[]): void {
  const heads = new Map<string, ChainHead>();
  for (const entry of entries) {
    const head = heads.get(entry.writerId) ?? newChain(entry.writerId);
    expect(faultOf(head, entry)).toBeUndefined();
    heads.set(entry.writerId, entry);
  }
}

function text(value: Uint8Array | undefined): string | undefined {
  return value && Buffer.from(value).toString('utf8');
}

function bytes(value: Uint8Array | undefined): string | undefined {
  return value && Buffer.from(value).toString('hex');
}

/** Converts bytes to text, since one store returns Buffers and another plain arrays. */
function plain(value: unknown): Record<string, unknown> {
  return JSON.parse(
    JSON.stringify(value, (_, field: unknown) => {
      if (field instanceof Uint8Array) return bytes(field);
      return isBufferJson(field) ? Buffer.from(field.data).toString('hex') : field;
    }),
  ) as Record<string, unknown>;
}

function isBufferJson(field: unknown): field is { type: 'Buffer'; data: number[] } {
  return typeof field === 'object' && field !== null && 'type' in field && field.type === 'Buffer';
}

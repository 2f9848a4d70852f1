import { enumToJson } from '@bufbuild/protobuf';
import { timestampFromMs } from '@bufbuild/protobuf/wkt';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import {
  LedgerEntry_Kind,
  LedgerEntry_KindSchema,
  type LedgerEntry,
  type TailEntriesResponse,
} from '@callpass/contract';
import { refusalOf } from '../testing/refusal.ts';
import { START_MS, startConfiguredServer, startTestServer, type TestServer } from '../testing/test-server.ts';

let server: TestServer;
beforeAll(async () => {
  server = await startConfiguredServer();
});
afterAll(() => server.stop());

const kindOf = (entry: LedgerEntry | undefined) => enumToJson(LedgerEntry_KindSchema, entry?.kind ?? 0);

describe('the ledger', () => {
  it('records each issue as it was answered, the visitor only by a keyed hash', async () => {
    const answer = await server.credentials.issueCredentials({
      destination: 'cbc',
      subject: 'canary-visitor',
    });
    const { entries } = await server.ledger.listEntries({ issuanceId: answer.issuanceId });
    expect(entries).toHaveLength(1);
    expect(entries[0]).toMatchObject({
      client: 'local',
      destination: 'cbc',
      realm: 'cbc.example',
      keyVersion: 1,
      callee: answer.callee,
      caller: answer.caller,
      issuanceId: answer.issuanceId,
      time: answer.issueTime,
      expireTime: answer.expireTime,
      subjectHash: expect.stringMatching(/^[0-9a-f]{32}$/),
    });
    expect(entries[0]?.tokenFingerprints).toHaveLength(48);
  });

  it.each([
    [{ destination: 'ecb', callee: 'boss@kandy.example' }, 'CALLEE_NOT_ALLOWED', 'callees'],
    [{ destination: 'ecb', caller: 'visitor@elsewhere.example' }, 'CALLER_NOT_ALLOWED', 'callers'],
    [{ destination: 'off' }, 'DESTINATION_DISABLED', 'enabled'],
    [{ destination: 'nowhere' }, 'DESTINATION_UNKNOWN', 'grant'],
  ])('records the refusal of %j with reason, rule and client', async (request, reason, rule) => {
    await refusalOf(server.credentials.issueCredentials(request));
    const { entries } = await server.ledger.listEntries({
      kind: LedgerEntry_Kind.REFUSED,
      destination: request.destination,
      pageSize: 1000,
    });
    expect(entries.at(-1)).toMatchObject({ reason, rule, client: 'local' });
  });

  it('records what operators do', async () => {
    await server.admin.freeze({ scope: { scope: { case: 'destination', value: 'lobby' } }, reason: 'abuse' });
    await server.admin.unfreeze({ scope: { scope: { case: 'destination', value: 'lobby' } } });
    const { entries } = await server.ledger.listEntries({ pageSize: 1000 });
    const kinds = entries.map(kindOf);
    for (const kind of ['CONFIGURATION_APPLIED', 'KEY_STATE_CHANGED', 'FROZEN', 'UNFROZEN'])
      expect(kinds).toContain(kind);
    expect(entries.find((entry) => kindOf(entry) === 'FROZEN')).toMatchObject({
      destination: 'lobby',
      reason: 'abuse',
    });
  });

  it('is listed by page, and by time', async () => {
    const all = (await server.ledger.listEntries({ pageSize: 1000 })).entries;
    const paged: LedgerEntry[] = [];
    let pageToken = '';
    do {
      const page = await server.ledger.listEntries({ pageSize: 3, pageToken });
      paged.push(...page.entries);
      pageToken = page.nextPageToken;
    } while (pageToken !== '');
    expect(paged).toEqual(all);
    expect((await server.ledger.listEntries({ endTime: timestampFromMs(START_MS) })).entries).toEqual([]);
    const fromNow = await server.ledger.listEntries({ startTime: timestampFromMs(START_MS), pageSize: 1000 });
    expect(fromNow.entries).toEqual(all);
    expect(await refusalOf(server.ledger.listEntries({ pageToken: 'x' }))).toMatchObject({
      fields: ['page_token'],
    });
  });

  it('is followed as it grows, across instances', async () => {
    const other = await startTestServer({ environment: server.environment, clock: server.clock });
    const seen: string[] = [];
    const stop = new AbortController();
    const following = (async () => {
      for await (const { entry } of server.ledger.tailEntries(
        { destination: 'lobby' },
        { signal: stop.signal, timeoutMs: 20_000 },
      )) {
        seen.push(entry?.issuanceId ?? '');
        if (new Set(seen).has('stop') || seen.length >= 2) return;
      }
    })();
    const issued: string[] = [];
    // Until the follower has both: it starts with what is written after its call has arrived.
    while (seen.length < 2) {
      issued.push((await server.credentials.issueCredentials({ destination: 'lobby' })).issuanceId);
      issued.push((await other.credentials.issueCredentials({ destination: 'lobby' })).issuanceId);
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
    await following;
    stop.abort();
    for (const id of seen) expect(issued).toContain(id);
    await other.stop();
  });

  it('is followed on from where another stream was, also in chains that have begun since, until the server drains', async () => {
    const issueAt = async ({ credentials }: TestServer, destination: string) =>
      (await credentials.issueCredentials({ destination })).issuanceId;
    const sequences = new Map<string, bigint>();
    const stream = server.ledger.tailEntries({ destination: 'lobby', resumable: true });
    const first = stream[Symbol.asyncIterator]();
    /** Reads until a response that fits. */
    const until = async (fits: (response: TailEntriesResponse) => boolean) => {
      for (;;) {
        const { value } = (await first.next()) as { value: TailEntriesResponse };
        for (const { writerId, sequence } of value.positions?.chains ?? []) sequences.set(writerId, sequence);
        if (value.entry) sequences.set(value.entry.writerId, value.entry.sequence);
        if (fits(value)) return;
      }
    };
    await until(({ positions }) => positions !== undefined);
    const seen = await issueAt(server, 'lobby');
    await until(({ entry }) => entry?.issuanceId === seen);
    const before = new Map(sequences);
    // What the filter leaves out moves the position too.
    await issueAt(server, 'ecb');
    await until(({ positions }) => positions !== undefined);
    expect(sequences).not.toEqual(before);
    await first.return?.();

    const other = await startTestServer({ environment: server.environment, clock: server.clock });
    const missed = [await issueAt(server, 'lobby'), await issueAt(other, 'lobby')];
    const chains = Array.from(sequences, ([writerId, sequence]) => ({ writerId, sequence }));
    const got: string[] = [];
    const following = (async () => {
      for await (const { entry } of other.ledger.tailEntries({ destination: 'lobby', after: { chains } })) {
        got.push(entry?.issuanceId ?? '');
        // Ends it long before the grace time.
        if (got.length === missed.length) void other.stop();
      }
    })();
    expect(await refusalOf(following)).toMatchObject({ reason: 'SERVER_STOPPING' });
    expect(got.toSorted()).toEqual(missed.toSorted());
  });

  it('takes positions and anchors of as many chains as a store collects in years', async () => {
    const chains = Array.from({ length: 5000 }, (_, index) => ({
      writerId: `${index}`.padStart(32, '0'),
      lastHash: new Uint8Array(32),
      anchorHash: new Uint8Array(32),
    }));
    const tail = server.ledger.tailEntries({ resumable: true, after: { chains } });
    for await (const { positions } of tail) {
      expect(positions).toBeDefined();
      break;
    }
    const altered = server.ledger.verifyLedger({ anchor: { chains, storeId: '0'.repeat(32) } });
    expect(await altered).toMatchObject({ intact: false });
  });

  it('verifies, with one chain for each instance that wrote', async () => {
    const found = await server.ledger.verifyLedger({});
    expect(found).toMatchObject({ intact: true, faults: [] });
    expect(found.chains.length).toBe(3);
    expect(found.entryCount).toBe(
      BigInt((await server.ledger.listEntries({ pageSize: 1000 })).entries.length),
    );
  });

  it('keeps what is still needed, and verifies after the rest was removed', async () => {
    const tooEarly = server.ledger.removeEntries({ beforeTime: timestampFromMs(START_MS) });
    expect(await refusalOf(tooEarly)).toMatchObject({ reason: 'REQUEST_INVALID', fields: ['before_time'] });
    server.clock.nowMs += 24 * 3600_000;
    await server.credentials.issueCredentials({ destination: 'ecb' });
    const { entryCount } = await server.ledger.removeEntries({
      beforeTime: timestampFromMs(server.clock.nowMs - 3600_000),
    });
    expect(Number(entryCount)).toBeGreaterThan(5);
    const found = await server.ledger.verifyLedger({});
    expect(found).toMatchObject({ intact: true, faults: [] });
    const { entries } = await server.ledger.listEntries({ pageSize: 1000 });
    expect(entries.map(kindOf)).toContain('ENTRIES_REMOVED');
    expect(found.chains.some(({ firstSequence }) => firstSequence > 1n)).toBe(true);
  });
});

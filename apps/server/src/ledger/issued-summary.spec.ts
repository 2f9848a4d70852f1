import { timestampFromMs, timestampMs } from '@bufbuild/protobuf/wkt';
import type { MessageInitShape } from '@bufbuild/protobuf';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import {
  KeyState,
  LedgerEntry_Kind,
  type IssuedSummary,
  type LedgerEntry,
  type SummarizeEntriesRequestSchema,
} from '@callpass/contract';
import { START_MS, startConfiguredServer, type TestServer } from '../testing/test-server.ts';

const LIFETIME_MS = 600_000;

let server: TestServer;
let entries: LedgerEntry[];
beforeAll(async () => {
  server = await startConfiguredServer();
  const issue = (destination: string, subject = '') =>
    server.credentials.issueCredentials({ destination, subject });
  await Promise.all(['ecb', 'ecb', 'cbc', 'lobby'].map((destination) => issue(destination)));
  server.clock.nowMs += LIFETIME_MS - 1000;
  await issue('members', 'canary-visitor');
  await issue('ecb', 'canary-visitor');
  await server.activateKey('ecb.example', 'another-16-bytes');
  await issue('ecb');
  server.clock.nowMs += 1000;
  ({ entries } = await server.ledger.listEntries({ kind: LedgerEntry_Kind.ISSUED, pageSize: 1000 }));
});
afterAll(() => server.stop());

async function summarize(
  request: MessageInitShape<typeof SummarizeEntriesRequestSchema>,
): Promise<IssuedSummary> {
  const parts = [];
  for await (const { part } of server.ledger.summarizeEntries(request)) parts.push(part);
  const last = parts.at(-1);
  if (last?.case !== 'summary') throw new Error('the stream has no result');
  expect(parts.slice(0, -1).map((part) => part.case)).toContain('progress');
  return last.value;
}

/** The same counts, one entry at a time. */
function expectCounted(summary: IssuedSummary, wanted: (entry: LedgerEntry) => boolean): void {
  const counted = entries.filter(wanted);
  const alive = counted.filter(
    ({ expireTime }) => expireTime !== undefined && timestampMs(expireTime) > server.clock.nowMs,
  );
  expect(summary.issuedCount).toBe(BigInt(counted.length));
  expect(summary.aliveCount).toBe(BigInt(alive.length));
  const groups = new Map<string, number>();
  for (const { client, destination, realm, keyVersion } of counted) {
    const name = [client, destination, realm, keyVersion].join(' ');
    groups.set(name, (groups.get(name) ?? 0) + 1);
  }
  expect(
    new Map(
      summary.groups.map((group) => [
        [group.client, group.destination, group.realm, group.keyVersion].join(' '),
        Number(group.issuedCount),
      ]),
    ),
  ).toEqual(groups);
}

describe('SummarizeEntries', () => {
  const key = (version: number) =>
    ({ issued: { case: 'key', value: { realm: 'ecb.example', version } } }) as const;

  it('counts what was issued with a key, as the entries say one by one, and when the last of it dies', async () => {
    const summary = await summarize(key(1));
    expectCounted(summary, ({ realm, keyVersion }) => realm === 'ecb.example' && keyVersion === 1);
    // Two have run out at this very instant, two live.
    expect([summary.issuedCount, summary.aliveCount]).toEqual([4n, 2n]);
    expect(summary).toMatchObject({
      time: timestampFromMs(server.clock.nowMs),
      firstIssueTime: timestampFromMs(START_MS),
      lastIssueTime: timestampFromMs(START_MS + LIFETIME_MS - 1000),
      lastExpireTime: timestampFromMs(START_MS + 2 * LIFETIME_MS - 1000),
      freezes: [],
    });
    expect(summary.realmKeys.map(({ version, state }) => [version, state])).toEqual([
      [2, KeyState.ACTIVE],
      [1, KeyState.RETIRED],
    ]);
  });

  it('counts by client, also calls without tokens, and only since a time', async () => {
    const issued = { case: 'client', value: 'local' } as const;
    expectCounted(await summarize({ issued }), () => true);
    const startTime = timestampFromMs(START_MS + 1);
    expectCounted(
      await summarize({ issued, startTime }),
      ({ time }) => time !== undefined && timestampMs(time) > START_MS,
    );
  });

  it('counts by visitor, in clear or by the hash, and answers with the hash only', async () => {
    const summary = await summarize({ issued: { case: 'subject', value: 'canary-visitor' } });
    expect(summary).toMatchObject({ issuedCount: 2n, subjectHash: expect.stringMatching(/^[0-9a-f]{32}$/) });
    const again = await summarize({ issued: { case: 'subjectHash', value: summary.subjectHash } });
    expect(again).toEqual(summary);
  });

  it('names what is frozen of it, and nothing else', async () => {
    const freeze = (value: string) =>
      server.admin.freeze({ scope: { scope: { case: 'destination', value } }, reason: 'incident' });
    await freeze('members');
    await freeze('cbc');
    const { freezes } = await summarize(key(1));
    expect(freezes).toMatchObject([{ scope: { scope: { value: 'members' } }, reason: 'incident' }]);
  });

  it('gives zeros for what was never issued', async () => {
    expect(await summarize(key(7))).toMatchObject({ issuedCount: 0n, aliveCount: 0n, groups: [] });
  });
});

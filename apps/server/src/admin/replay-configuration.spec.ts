import { timestampFromMs, timestampMs } from '@bufbuild/protobuf/wkt';
import { parseConfigurationDocument } from '@callpass/config-document';
import {
  enumNames,
  ReplayCaveat_Cause,
  ReplayDifference_Outcome,
  type LedgerEntry,
  type ReplayReport,
} from '@callpass/contract';
import { KeyedHash, type EntryDraft, type ReplayStep } from '@callpass/domain';
import { openStore } from '@callpass/storage';
import { sampleEntry } from '@callpass/testkit';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { recount } from '../testing/recount.ts';
import { refusalOf } from '../testing/refusal.ts';
import { START_MS, startTestServer, type TestServer } from '../testing/test-server.ts';
import { ConfigurationReplays } from './replay-configuration.ts';

const HOUR_MS = 3_600_000;
const outcomeOf = enumNames(ReplayDifference_Outcome);
const causeOf = enumNames(ReplayCaveat_Cause);
const REALM = '{ name: r, cipher: AES_128_ECB, tokenLifetime: 60s }';
const DOCUMENT = `
realms: [${REALM}, { name: seconds, cipher: AES_128_ECB, tokenLifetime: 60s, timestampUnit: SECONDS }]
destinations:
  - id: office
    realm: r
    account: a@x.example
    callees: [b@x.example, c@x.example]
    callers: [d@x.example]
    hours: { timeZone: Europe/Berlin, open: ["Mon-Fri 08:00-18:00"] }
    limits: [{ per: SUBJECT, max: 2, window: 60s }, { per: DESTINATION, max: 9, window: 3600s }]
  - { id: members, realm: seconds, account: a@x.example, callees: [b@x.example], requireSubject: true, limits: [{ per: CLIENT, max: 2, window: 10s }] }
  - { id: off, realm: r, account: a@x.example, callees: [b@x.example], enabled: false }
  - { id: lobby, mode: UNRESTRICTED, account: a@x.example, callees: [b@x.example], limits: [{ per: OVERALL, max: 3, window: 1s, shadow: true }] }
`;
const PROPOSED = `
realms: [${REALM}, { name: keyless, cipher: AES_128_ECB, tokenLifetime: 60s }]
destinations:
  - id: office
    realm: r
    account: a@x.example
    callees: [b@x.example]
    hours: { timeZone: Europe/Berlin, open: ["Mon-Thu 09:00-17:30", "Sun 22:00-23:00"], closedDates: ["2026-05-05"] }
    limits: [{ per: SUBJECT, max: 1, window: 600s }, { per: OVERALL, max: 5, window: 3600s }, { per: REALM, max: 1, window: 1s, shadow: true }]
  - { id: members, realm: r, account: a@x.example, callees: [b@x.example], requireSubject: true, limits: [{ per: CLIENT, max: 1, window: 600s }, { per: OVERALL, max: 6, window: 3600s }] }
  - { id: off, realm: keyless, account: a@x.example, callees: [b@x.example] }
clients:
  - { name: web, identities: [{ dnsName: web.example }], grants: [{ role: ISSUER, destinations: ["*"] }] }
  - { name: app, identities: [{ dnsName: app.example }], grants: [{ role: ISSUER, destinations: [office, off] }] }
`;

let server: TestServer;
beforeAll(async () => {
  server = await startTestServer();
  await server.configure(DOCUMENT);
  await server.activateKey('r', '1234567890abcdef');
  await server.activateKey('seconds', '1234567890abcdeg');
});
afterAll(() => server.stop());

interface Asked {
  readonly since?: number;
  readonly destination?: string;
  readonly timeZone?: string;
}

async function replay(document: string, { since, ...asked }: Asked = {}, by = server): Promise<ReplayReport> {
  const { configuration } = parseConfigurationDocument(document);
  const request = { configuration, ...asked, ...(since !== undefined && { since: timestampFromMs(since) }) };
  let report: ReplayReport | undefined;
  for await (const { part } of by.admin.replayConfiguration(request))
    if (part.case === 'report') report = part.value;
  if (!report) throw new Error('the stream has no report');
  return report;
}

/** Every entry, as an export has them. */
async function allEntries(): Promise<LedgerEntry[]> {
  const entries: LedgerEntry[] = [];
  let pageToken = '';
  do {
    const page = await server.ledger.listEntries({ pageSize: 1000, pageToken });
    entries.push(...page.entries);
    pageToken = page.nextPageToken;
  } while (pageToken !== '');
  return entries;
}

const countsOf = (report: ReplayReport) => ({
  issued: Number(report.issuedCount),
  refused: Number(report.refusedCount),
  wouldBeRefused: Number(report.wouldBeRefusedCount),
  wouldBeGranted: Number(report.wouldBeGrantedCount),
});

/** Counts by one member of the differences. */
function countsBy(report: ReplayReport, of: 'rule' | 'reason' | 'destination' | 'client') {
  const counts: Record<string, number> = {};
  for (const difference of report.differences) {
    const name = `${outcomeOf(difference.outcome)} ${difference[of]}`;
    counts[name] = (counts[name] ?? 0) + Number(difference.count);
  }
  return counts;
}

describe('ReplayConfiguration', () => {
  const BEGIN_MS = START_MS;

  it('of the configuration in force over its own time differs in nothing, limits and whole seconds included', async () => {
    let seed = 1;
    const next = (below: number) => (seed = (seed * 48_271) % 2_147_483_647) % below;
    for (let count = 0; count < 200; count++) {
      server.clock.nowMs += next(4) === 0 ? next(8) * 400_000 : next(4_000);
      const destination = ['office', 'office', 'members', 'off', 'lobby', 'nowhere'][next(6)] as string;
      const subject = ['', 'v1', 'v2', 'v3'][next(4)] as string;
      const callee = ['', 'c@x.example', 'x@x.example'][next(12)] ?? '';
      const caller = ['', 'd@x.example', 'x@x.example'][next(12)] ?? '';
      await server.credentials
        .issueCredentials({ destination, subject, callee, caller })
        .catch(() => undefined);
    }
    const report = await replay(DOCUMENT);
    expect(report.differences).toEqual([]);
    expect(countsOf(report)).toMatchObject({ wouldBeRefused: 0, wouldBeGranted: 0 });
    const reasons = new Set((await allEntries()).map(({ reason }) => reason));
    for (const reason of ['LIMIT_EXCEEDED', 'DESTINATION_CLOSED', 'CALLEE_NOT_ALLOWED', 'SUBJECT_REQUIRED'])
      expect([...reasons]).toContain(reason);
    expect(Number(report.issuedCount)).toBeGreaterThan(50);
    expect(Number(report.refusedCount)).toBeGreaterThan(30);
  });

  describe('of another one', () => {
    const FROM_MS = BEGIN_MS + 60 * 24 * HOUR_MS;

    beforeAll(async () => {
      // Clients and refusals of all kinds, as other instances have written them: in one chain, two weeks long.
      const { CALLPASS_STORE_URL: url = '', CALLPASS_KEY_ENCRYPTION_KEY: key = '' } = server.environment;
      const store = await openStore({ url, sealKey: Buffer.from(key, 'base64') });
      const keyedHash = new KeyedHash(store.ledgerSecret);
      let seed = 7;
      const next = (below: number) => (seed = (seed * 48_271) % 2_147_483_647) % below;
      const oneOf = (values: readonly string[]) => values[next(values.length)] as string;
      const drafts: EntryDraft[] = [];
      let timeMs = FROM_MS;
      for (let count = 0; count < 2_000; count++) {
        timeMs += next(3) === 0 ? next(500_000) : next(3_000);
        if (next(150) === 0) timeMs += next(40 * HOUR_MS);
        const subject = oneOf(['', 'v1', 'v2', 'v3', 'v4', 'v5']);
        const common = {
          timeMs,
          client: oneOf(['web', 'web', 'web', 'app', 'gone', 'local']),
          destination: oneOf(['office', 'office', 'members', 'off', 'lobby']),
          callee: oneOf(['b@x.example', 'b@x.example', 'b@x.example', 'b@X.example', 'c@x.example']),
          caller: oneOf(['a@x.example', 'a@x.example', 'a@x.example', 'a@x.example', 'd@x.example']),
          visitor: subject === '' ? undefined : { hash: keyedHash.subject(subject) },
          realm: 'r',
        };
        const issued = next(4) > 0;
        const reason = oneOf(['DESTINATION_CLOSED', 'LIMIT_EXCEEDED', 'CLIENT_NOT_GRANTED', 'FROZEN']);
        drafts.push(
          issued
            ? sampleEntry({ ...common, rule: next(50) === 0 ? 'uncounted limits[0] per SUBJECT' : '' })
            : {
                ...common,
                kind: 'REFUSED',
                reason,
                rule: next(30) === 0 ? 'hours, 7 more within a minute' : 'hours',
              },
        );
      }
      await Promise.all(drafts.map((draft) => store.record(draft)));
      await store.close();
    });

    it.each([
      ['all destinations', {}, 'Europe/Berlin'],
      ['one destination, whose limits count the others too', { destination: 'members' }, 'UTC'],
      ['a part of the time', { since: FROM_MS + 100 * HOUR_MS }, 'Europe/Berlin'],
      ['the hours of another zone', { timeZone: 'Asia/Kolkata' }, 'Asia/Kolkata'],
    ])('counts as one does by hand over an export: %s', async (_name, asked: Asked, zone) => {
      const request = { since: FROM_MS, ...asked };
      const report = await replay(PROPOSED, request);
      const wanted = recount(await allEntries(), { timeZone: report.timeZone, ...request });
      expect(report.timeZone).toBe(zone);
      expect(countsOf(report)).toEqual(wanted.counts);
      for (const by of ['rule', 'destination', 'client'] as const)
        expect(countsBy(report, by)).toEqual(wanted[by]);
      const hours = report.hours.filter(({ issuedCount, refusedCount }) => issuedCount + refusedCount > 0n);
      expect(
        Object.fromEntries(
          hours.map(({ weekday, hour, issuedCount, wouldBeRefusedCount }) => [
            `${weekday} ${hour}`,
            [Number(issuedCount), Number(wouldBeRefusedCount)],
          ]),
        ),
      ).toEqual(wanted.hours);
      expect(report.hours).toHaveLength(168);
      // Every kind of difference is among them.
      expect(wanted.counts.wouldBeRefused).toBeGreaterThan(50);
      expect(wanted.counts.wouldBeGranted).toBeGreaterThan(10);
    });

    it('names what was left out, and gives examples that the ledger finds', async () => {
      const report = await replay(PROPOSED, { since: FROM_MS });
      const entries = (await allEntries()).filter(({ time }) => time && timestampMs(time) >= FROM_MS);
      const frozen = entries.filter(({ reason }) => reason === 'FROZEN');
      const together = (entry: LedgerEntry) => entry.rule.includes('more within');
      const caveat = (cause: ReplayCaveat_Cause) =>
        Number(report.caveats.find((each) => each.cause === cause)?.count);
      expect(caveat(ReplayCaveat_Cause.REFUSED_OTHERWISE)).toBe(
        frozen.length + 6 * frozen.filter(together).length,
      );
      expect(caveat(ReplayCaveat_Cause.COUNTED_TOGETHER)).toBe(
        7 * entries.filter((entry) => together(entry) && entry.reason !== 'FROZEN').length,
      );
      expect(caveat(ReplayCaveat_Cause.UNCOUNTED)).toBe(
        entries.filter(({ rule }) => rule.startsWith('uncounted')).length,
      );
      expect(caveat(ReplayCaveat_Cause.NO_SUBJECT)).toBeGreaterThan(100);
      const closed = report.differences.find(({ reason }) => reason === 'DESTINATION_CLOSED');
      expect(closed).toMatchObject({ rule: 'hours', text: 'closed at that hour' });
      const [example] = closed?.examples ?? [];
      expect(entries.some(({ issuanceId }) => issuanceId === example?.issuanceId)).toBe(true);
      const limited = report.differences.find(({ rule }) => rule === 'limits[0] per SUBJECT');
      expect(limited?.text).toBe('over the limit of 1 in 600 s for one visitor');
    });

    it('says when retention has removed a part, and when a default of today is what would be refused', async () => {
      const renamed = await replay(DOCUMENT.replaceAll('a@x.example', 'new@x.example'), {
        since: FROM_MS,
        destination: 'lobby',
      });
      const causes = (report: ReplayReport) => report.caveats.map(({ cause }) => causeOf(cause));
      expect(causes(renamed)).toContain('DEFAULT_ADDRESS');
      expect(causes(renamed)).not.toContain('REMOVED');
      server.clock.nowMs = FROM_MS;
      await server.ledger.removeEntries({ beforeTime: timestampFromMs(FROM_MS - 60 * HOUR_MS) });
      expect(causes(await replay(DOCUMENT, { since: BEGIN_MS }))).toContain('REMOVED');
      expect(causes(await replay(DOCUMENT, { since: FROM_MS - HOUR_MS }))).not.toContain('REMOVED');
    });
  });

  it('refuses a document that could not be applied, a zone and a destination that there are not', async () => {
    const fieldsOf = async (document: string, asked: Asked = {}) => refusalOf(replay(document, asked));
    expect(await fieldsOf(DOCUMENT.replace('Europe/Berlin', 'Europe/Nowhere'))).toMatchObject({
      reason: 'REQUEST_INVALID',
      fields: ['configuration.destinations[0].hours.timeZone'],
    });
    expect(await fieldsOf(DOCUMENT.replace('AES_128_ECB', 'AES_256_CBC_HMAC_SHA256'))).toMatchObject({
      fields: ['configuration.realms[0].cipher'],
    });
    expect(await fieldsOf(DOCUMENT, { timeZone: 'Mars/Olympus' })).toMatchObject({ fields: ['time_zone'] });
    expect(await fieldsOf(DOCUMENT, { destination: 'nowhere' })).toMatchObject({
      reason: 'DESTINATION_UNKNOWN',
    });
  });
});

describe('ConfigurationReplays', () => {
  const { configuration } = parseConfigurationDocument(DOCUMENT);
  const REQUEST = { configuration, startTimeMs: undefined, destination: '', timeZone: '' };

  /** Replays on a store that gives as many steps as are asked for, and says when it was left. */
  function onSteps() {
    const seen = { begun: 0, left: 0 };
    const store = {
      loadState: () => Promise.resolve({ keys: [] }),
      async *replay(): AsyncGenerator<ReplayStep, void> {
        seen.begun++;
        try {
          for (let read = 1; ; read++) yield { read, total: 1000 };
        } finally {
          seen.left++;
        }
      },
    };
    const state = { snapshot: { configuration: { destinations: [] } } };
    return { seen, replays: new ConfigurationReplays({ store, state } as never) };
  }

  it('leaves the ledger when the caller is gone, and when it stops reading', async () => {
    const { seen, replays } = onSteps();
    const caller = new AbortController();
    let steps = 0;
    for await (const _ of replays.replay(REQUEST, caller.signal)) if (++steps === 3) caller.abort();
    expect({ steps, ...seen }).toEqual({ steps: 3, begun: 1, left: 1 });
    for await (const _ of replays.replay(REQUEST, new AbortController().signal)) break;
    expect(seen).toEqual({ begun: 2, left: 2 });
  });

  it('makes one at a time, and reads nothing for a document that does not hold', async () => {
    const { seen, replays } = onSteps();
    const { signal } = new AbortController();
    const first = replays.replay(REQUEST, signal);
    await first.next();
    await expect(replays.replay(REQUEST, signal).next()).rejects.toMatchObject({ reason: 'OVERLOADED' });
    await first.return();
    const broken = parseConfigurationDocument(DOCUMENT.replace('Europe/Berlin', 'Europe/Nowhere'));
    const refused = replays.replay({ ...REQUEST, configuration: broken.configuration }, signal).next();
    await expect(refused).rejects.toMatchObject({ reason: 'REQUEST_INVALID' });
    expect(seen).toEqual({ begun: 1, left: 1 });
  });
});

import { describe, expect, it } from '@jest/globals';
import { entryFields } from '@callpass/ledger';
import type { Destination } from '../realm/configuration.ts';
import type { ReplayPlan } from './replay-report.ts';
import { Replay, type ReplayEntry } from './replay.ts';

const LINE: Destination = {
  ...{ id: 'line', realm: 'r', account: 'a@x.example', callees: ['b@x.example'], callers: [], enabled: true },
  ...{ requireSubject: false, hours: undefined, limits: [] },
};
const limit = (max: number) => {
  return { per: 'DESTINATION', max, windowMs: 60_000, shadow: false, whenUnavailable: 'REFUSE' } as const;
};

function replay(
  line: Partial<Destination>,
  entries: readonly Partial<ReplayEntry>[],
  more: Partial<ReplayPlan> = {},
) {
  const plan: ReplayPlan = {
    configuration: { realms: [], destinations: [{ ...LINE, ...line }], clients: [] },
    ...{ inForce: [LINE], activeRealms: ['r'], trustedClients: ['local'], timeZone: 'UTC' },
    ...more,
  };
  const run = new Replay(plan, 0);
  const common = {
    kind: 'ISSUED',
    client: 'local',
    destination: 'line',
    realm: 'r',
    callee: 'b@x.example',
  } as const;
  for (const entry of entries)
    run.add(entryFields({ ...common, timeMs: 0, caller: 'a@x.example', ...entry }));
  return run.report;
}

const refusedFor = (reason: string) => ({ kind: 'REFUSED', reason }) as const;

describe('a replay', () => {
  it('counts what the proposed rules grant: a refusal that would be granted takes, a grant that would be refused does not', () => {
    const report = replay({ limits: [limit(2)] }, [
      { ...refusedFor('DESTINATION_CLOSED'), timeMs: 0 },
      { timeMs: 1, callee: 'x@x.example' },
      { timeMs: 2 },
      { timeMs: 3 },
      { timeMs: 60_000 },
    ]);
    expect(report).toMatchObject({ issued: 4, refused: 1, wouldBeRefused: 2, wouldBeGranted: 1 });
    expect(report.differences.map(({ rule, firstTimeMs }) => [rule, firstTimeMs])).toEqual([
      ['', 0],
      ['callees', 1],
      ['limits[0] per DESTINATION', 3],
    ]);
  });

  it('goes by the millisecond of the issue where the tokens count in seconds', () => {
    const id = (timeMs: number) =>
      `${timeMs
        .toString(16)
        .padStart(12, '0')
        .replace(/^(.{8})/, '$1-')}-7000-8000-000000000000`;
    const entries = [
      { timeMs: 1_000_000, issuanceId: id(1_000_900) },
      { ...refusedFor('LIMIT_EXCEEDED'), timeMs: 1_060_500 },
    ];
    expect(replay({ limits: [limit(1)] }, entries).differences).toEqual([]);
    // An id of another time is none of an issue.
    expect(replay({ limits: [limit(1)] }, [{ timeMs: 0, issuanceId: id(9_000_000) }])).toMatchObject({
      firstTimeMs: 0,
    });
  });

  it('refuses for a realm without a key, but not what had one then', () => {
    const keyless = { activeRealms: [] };
    expect(replay({}, [{}], keyless).differences).toEqual([]);
    expect(replay({ realm: 'other' }, [{}], keyless).differences).toMatchObject([
      { reason: 'KEY_NOT_ACTIVE' },
    ]);
    expect(replay({}, [refusedFor('DESTINATION_CLOSED')], keyless).wouldBeGranted).toBe(0);
    expect(replay({ realm: undefined }, [refusedFor('DESTINATION_CLOSED')], keyless).wouldBeGranted).toBe(1);
  });

  it('has examples of each difference, but not all of them', () => {
    const [difference] = replay(
      { enabled: false },
      Array.from({ length: 9 }, (_, timeMs) => ({ timeMs })),
    ).differences;
    expect(difference).toMatchObject({ count: 9, firstTimeMs: 0, lastTimeMs: 8 });
    expect(difference?.examples.map(({ timeMs }) => timeMs)).toEqual([0, 1, 2, 3, 4]);
  });
});

import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { MessageInitShape } from '@bufbuild/protobuf';
import {
  ReplayCaveat_Cause,
  ReplayDifference_Outcome,
  type ApplyConfigurationRequest,
  type ReplayConfigurationRequest,
  type ReplayReportSchema,
} from '@callpass/contract';
import { BadRequestSchema } from '@callpass/rpc-protos/gen/google/rpc/error_details_pb.js';
import { detail } from '@callpass/grpc-kit';
import { status } from '@grpc/grpc-js';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { refusal, startLocalService } from '../testing/local-service.ts';
import { runInProcess, type RunOptions } from '../testing/run-in-process.ts';

const at = (seconds: number) => ({ seconds: 1_800_000_000n + BigInt(seconds), nanos: 0 });
const { WOULD_BE_REFUSED, WOULD_BE_GRANTED } = ReplayDifference_Outcome;
const HOURS = Array.from({ length: 168 }, (_, index) => {
  return { weekday: Math.floor(index / 24) + 1, hour: index % 24, issuedCount: 0n, wouldBeRefusedCount: 0n };
});
const hour = (weekday: number, of: number, issuedCount: bigint, wouldBeRefusedCount: bigint) => {
  HOURS[(weekday - 1) * 24 + of] = { weekday, hour: of, issuedCount, wouldBeRefusedCount };
};
hour(1, 8, 4000n, 0n);
hour(1, 17, 8000n, 290n);
hour(7, 23, 6204n, 6204n);
const REPORT: MessageInitShape<typeof ReplayReportSchema> = {
  ...{ issuedCount: 18_204n, wouldBeRefusedCount: 312n, refusedCount: 140n, wouldBeGrantedCount: 96n },
  ...{ firstTime: at(0), lastTime: at(600) },
  differences: [
    {
      ...{
        outcome: WOULD_BE_REFUSED,
        reason: 'DESTINATION_CLOSED',
        rule: 'hours',
        text: 'closed at that hour',
      },
      ...{ destination: 'support', client: 'web-edge', count: 290n, firstTime: at(0) },
      examples: [{ issuanceId: '019b0000-0000-7000-8000-000000000001' }],
    },
    {
      ...{ outcome: WOULD_BE_GRANTED, reason: 'CALLEE_NOT_ALLOWED', rule: 'callees', client: 'web-edge' },
      ...{ text: 'to a callee that is not allowed', destination: 'sales', count: 96n, firstTime: at(3) },
      examples: [{ traceId: 'fedcba9876543210fedcba9876543210' }],
    },
    {
      ...{
        outcome: WOULD_BE_REFUSED,
        reason: 'LIMIT_EXCEEDED',
        rule: 'limits[0] per SUBJECT',
        client: 'app',
      },
      text: 'over the limit of 5 in 60 s for one visitor',
      ...{ destination: 'support', count: 22n, firstTime: at(5) },
    },
  ],
  hours: HOURS,
  timeZone: 'Europe/Berlin',
  caveats: [
    {
      cause: ReplayCaveat_Cause.REFUSED_OTHERWISE,
      reason: 'FROZEN',
      count: 7n,
      text: 'refused with FROZEN: left out',
    },
  ],
};

let folder: string;
let file: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'callpass-replay-'));
  file = join(folder, 'new.yaml');
  writeFileSync(file, 'realms:\n  - { name: r, cipher: AES_128_ECB, tokenLifetime: 60s }\n');
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** Runs `callpass config …` where the service gives this report after a message of progress. */
async function config(
  args: readonly string[],
  options: RunOptions = {},
  before: () => void = () => undefined,
) {
  const replayed: ReplayConfigurationRequest[] = [];
  const applied: ApplyConfigurationRequest[] = [];
  const service = await startLocalService({
    admin: {
      async *replayConfiguration(request) {
        replayed.push(request);
        await Promise.resolve();
        before();
        yield { part: { case: 'progress', value: { readCount: 1n, totalCount: 2n } } };
        yield { part: { case: 'report', value: REPORT } };
      },
      listConfigurationRevisions: () => ({ revisions: [{ revision: 3 }] }),
      applyConfiguration(request) {
        applied.push(request);
        return { revision: 4 };
      },
    },
  });
  const run = await runInProcess(['config', ...args, '--address', service.address], options);
  service.stop();
  return { ...run, replayed, applied };
}

describe('callpass config replay', () => {
  it('says what would have been otherwise, by rule, destination, client and hour, plainly for scripts', async () => {
    const asked = [
      '--since',
      '2027-01-15T08:00:00Z',
      '--destination',
      'support',
      '--time-zone',
      'Europe/Berlin',
    ];
    const { exitCode, stdout, stderr, replayed } = await config(['replay', '-f', file, ...asked]);
    expect({ exitCode, stderr }).toEqual({ exitCode: 0, stderr: '' });
    expect(replayed).toMatchObject([
      {
        configuration: { realms: [{ name: 'r' }] },
        since: at(0),
        destination: 'support',
        timeZone: 'Europe/Berlin',
      },
    ]);
    expect(stdout.split('\n')).toEqual([
      'of 18,204 issued, 312 would be refused: 290 closed at that hour, 22 over the limit of 5 in 60 s for one visitor',
      'of 140 refused, 96 would be granted: 96 to a callee that is not allowed',
      'time: 2027-01-15T08:00:00.000Z to 2027-01-15T08:10:00.000Z',
      'by destination: 312 support, 96 sales',
      'by client: 386 web-edge, 22 app',
      '',
      'refused\thours\tsupport\tweb-edge\t290\t2027-01-15T08:00:00.000Z\t019b0000-0000-7000-8000-000000000001',
      'granted\tcallees\tsales\tweb-edge\t96\t2027-01-15T08:00:03.000Z\tfedcba9876543210fedcba9876543210',
      'refused\tlimits[0] per SUBJECT\tsupport\tapp\t22\t2027-01-15T08:00:05.000Z\t',
      '',
      'by hour of the week (Europe/Berlin): issued, would be refused',
      'Mon\t08:00\t4000\t0',
      'Mon\t17:00\t8000\t290',
      'Sun\t23:00\t6204\t6204',
      '7 refused with FROZEN: left out',
      'freezes are left out, and limits begin to count at the beginning',
      '',
    ]);
  });

  it('draws the hours of the week on a terminal: issued left, would-be-refused right, readable without colours', async () => {
    const { stdout, stderr } = await config(['replay', '-f', file], { isTTY: true, noColor: true });
    expect(stderr).toContain('\r1 of 2 entries');
    const lines = stdout.split('\n');
    const first = lines.findIndex((line) => line.includes(' 00 01 02 '));
    expect(lines.slice(first, first + 10)).toEqual([
      `    00 01 02 03 04 05 06 07 08 09 10 11 12 13 14 15 16 17 18 19 20 21 22 23`,
      `Mon${' · '.repeat(8)} ▒ ${' · '.repeat(8)} █░${' · '.repeat(6)}`.trimEnd(),
      ...['Tue', 'Wed', 'Thu', 'Fri', 'Sat'].map((day) => `${day}${' · '.repeat(24)}`.trimEnd()),
      `Sun${' · '.repeat(23)} ██`,
      'hours of Europe/Berlin; left: issued, right: would be refused; ░ to 2,000, ▒ to 4,000, ▓ to 6,000, █ to 8,000',
      '',
    ]);
    const { stdout: coloured } = await config(['replay', '-f', file], { isTTY: true });
    expect(coloured).toContain('\u001b[32m█\u001b[39m\u001b[31m░\u001b[39m');
    const { stdout: narrow } = await config(['replay', '-f', file], { isTTY: true, columns: 74 });
    expect(narrow).toContain(
      'by hour of the week (Europe/Berlin): issued, would be refused\nMon  08:00  4000',
    );
    expect(narrow).not.toContain('░');
  });

  it('takes an age, and writes protojson for scripts', async () => {
    const { stdout, replayed } = await config(['replay', '-f', file, '--since', '7d', '--output=json']);
    expect(JSON.parse(stdout)).toMatchObject({ issuedCount: '18204', hours: expect.anything() });
    const ageMs = Date.now() - Number(replayed[0]?.since?.seconds) * 1000;
    expect(Math.abs(ageMs - 7 * 86_400_000)).toBeLessThan(60_000);
  });

  it('shows the line of what the service refuses', async () => {
    const fault = { field: 'configuration.realms[0].cipher', description: 'does not fit' };
    const { exitCode, stderr } = await config(['replay', '-f', file], {}, () => {
      throw refusal(status.INVALID_ARGUMENT, 'REQUEST_INVALID', {
        details: [detail(BadRequestSchema, { fieldViolations: [fault] })],
      });
    });
    expect(exitCode).toBe(1);
    expect(stderr).toContain(`${file}:2:24: realms[0].cipher: does not fit`);
    for (const since of ['yesterday', '2026-02-30T00:00:00Z'])
      expect((await config(['replay', '-f', file, '--since', since])).exitCode).toBe(2);
  });
});

describe('callpass config apply --replay', () => {
  const apply = ['apply', '--replay', '7d', '-f'];

  it('shows the report first, and applies after yes and nothing else', async () => {
    const yes = await config([...apply, file], { stdin: 'yes\n' });
    expect(yes).toMatchObject({ exitCode: 0, applied: [{ expectedRevision: 3 }] });
    expect(yes.stdout).toContain('312 would be refused');
    for (const stdin of ['', 'y\n', 'no\nyes\n']) {
      const { exitCode, applied, stderr } = await config([...apply, file], { stdin });
      expect({ stdin, exitCode, applied }).toEqual({ stdin, exitCode: 1, applied: [] });
      expect(stderr).toContain('not applied');
    }
  });

  it('does not ask for a dry run, and refuses where it could not ask', async () => {
    expect(await config([...apply, file, '--dry-run'])).toMatchObject({
      exitCode: 0,
      applied: [{ dryRun: true }],
    });
    expect(await config([...apply, '-'], { stdin: '{}' })).toMatchObject({ exitCode: 2, replayed: [] });
    expect(await config([...apply, file, '--output=json'])).toMatchObject({ exitCode: 2, replayed: [] });
  });
});

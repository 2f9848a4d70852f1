import { afterEach, describe, expect, it } from '@jest/globals';
import type { MessageInitShape } from '@bufbuild/protobuf';
import { KeyState, type IssuedSummarySchema, type SummarizeEntriesRequest } from '@callpass/contract';
import { startLocalService, type LocalService } from '../testing/local-service.ts';
import { runInProcess, type RunOptions } from '../testing/run-in-process.ts';

const at = (seconds: number) => ({ seconds: 1_800_000_000n + BigInt(seconds), nanos: 0 });
const HASH = '0123456789abcdef0123456789abcdef';
const SUMMARY: MessageInitShape<typeof IssuedSummarySchema> = {
  ...{ time: at(500), issuedCount: 3n, aliveCount: 2n },
  ...{ firstIssueTime: at(0), lastIssueTime: at(100), lastExpireTime: at(700) },
  groups: [
    {
      ...{ client: 'web-edge', destination: 'support', realm: 'support.example', keyVersion: 1 },
      ...{ issuedCount: 3n, aliveCount: 2n, lastIssueTime: at(100), lastExpireTime: at(700) },
    },
  ],
  realmKeys: [{ realm: 'support.example', version: 1, state: KeyState.ACTIVE }],
  subjectHash: HASH,
};

let service: LocalService | undefined;
afterEach(() => service?.stop());

/** Runs `callpass incident …` where the service gives this summary after two messages of progress. */
async function incident(
  args: readonly string[],
  { summary = SUMMARY, ...options }: RunOptions & { summary?: typeof SUMMARY } = {},
) {
  const seen: SummarizeEntriesRequest[] = [];
  service = await startLocalService({
    ledger: {
      async *summarizeEntries(request) {
        seen.push(request);
        await Promise.resolve();
        for (const readCount of [1n, 2n])
          yield { part: { case: 'progress', value: { readCount, totalCount: 2n } } };
        yield { part: { case: 'summary', value: summary } };
      },
    },
  });
  const run = await runInProcess(['incident', ...args, '--address', service.address], options);
  return { ...run, seen };
}

describe('callpass incident', () => {
  it('key: says what was issued, what lives, what is frozen, and what to type next', async () => {
    const since = ['--since', '2027-01-15T08:00:00Z'];
    const { exitCode, stdout, stderr, seen } = await incident(['key', 'support.example', '1', ...since]);
    expect({ exitCode, stderr }).toEqual({ exitCode: 0, stderr: '' });
    expect(seen).toMatchObject([
      { issued: { case: 'key', value: { realm: 'support.example', version: 1 } }, startTime: at(0) },
    ]);
    expect(stdout.split('\n')).toEqual([
      'INCIDENT: key 1 of support.example',
      'as of: 2027-01-15T08:08:20Z',
      'issued: 3 credentials, 2027-01-15T08:00:00Z to 2027-01-15T08:01:40Z',
      'alive: 2; the last one dies at 2027-01-15T08:11:40Z',
      'state of the key: ACTIVE',
      'frozen: nothing',
      '',
      'web-edge\tsupport\tsupport.example\t1\t3\t2\t2027-01-15T08:01:40Z\t2027-01-15T08:11:40Z',
      '',
      'next:',
      '  callpass freeze realm support.example --reason "incident"',
      '  callpass key add support.example --generate   # type it into the portal',
      '  callpass key activate support.example 2',
      '  callpass key destroy support.example 1 --force --reason "incident"',
      '  callpass unfreeze realm support.example',
      '',
    ]);
  });

  it('key: leaves out what is done already', async () => {
    const freezes = [
      {
        scope: { scope: { case: 'realm', value: 'support.example' } as const },
        reason: 'leak',
        frozenBy: 'ops',
      },
    ];
    const key = (version: number, state: KeyState) => ({ realm: 'support.example', version, state });
    const next = async (realmKeys: ReturnType<typeof key>[]) => {
      const { stdout } = await incident(['key', 'support.example', '1'], {
        summary: { ...SUMMARY, freezes, realmKeys },
      });
      service?.stop();
      expect(stdout).toContain('frozen: realm support.example');
      return stdout
        .split('next:\n')[1]
        ?.trim()
        .split('\n')
        .map((line) => line.trim());
    };
    expect(await next([key(2, KeyState.PENDING), key(1, KeyState.ACTIVE)])).toEqual([
      'callpass key activate support.example 2',
      'callpass key destroy support.example 1 --force --reason "incident"',
      'callpass unfreeze realm support.example',
    ]);
    expect(await next([key(2, KeyState.ACTIVE), key(1, KeyState.DESTROYED)])).toEqual([
      'callpass unfreeze realm support.example',
    ]);
  });

  it('client and subject: ask for these, the visitor from stdin, whose name is not shown', async () => {
    const client = await incident(['client', "it's"]);
    expect(client.seen).toMatchObject([{ issued: { case: 'client', value: "it's" } }]);
    expect(client.stdout).toContain(`  callpass freeze client 'it'\\''s' --reason "incident"\n`);
    service?.stop();
    const subject = await incident(['subject', '-'], { stdin: 'somebody\n' });
    expect(subject.seen).toMatchObject([{ issued: { case: 'subject', value: 'somebody' } }]);
    expect(subject.stdout).toContain(`callpass freeze subject-hash ${HASH}`);
    expect(subject.stdout).not.toContain('somebody');
  });

  it('shows its progress on a terminal, and writes protojson for scripts', async () => {
    const { stdout, stderr } = await incident(['key', 'support.example', '1', '--output=json'], {
      isTTY: true,
    });
    expect(stderr).toContain('\r2 of 2 entries');
    expect(JSON.parse(stdout)).toMatchObject({
      issuedCount: '3',
      aliveCount: '2',
      groups: [{ keyVersion: 1 }],
    });
  });
});

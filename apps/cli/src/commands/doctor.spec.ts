import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { create } from '@bufbuild/protobuf';
import { KeyState, RealmKeySchema } from '@callpass/contract';
import { status } from '@grpc/grpc-js';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { clockFinding, keyFindings } from '../doctor/remote.ts';
import { type Answers, type LocalService, refusal, startLocalService } from '../testing/local-service.ts';
import { runInProcess } from '../testing/run-in-process.ts';

type Admin = Pick<
  Required<NonNullable<Answers['admin']>>,
  'getConfiguration' | 'listRealmKeys' | 'listFreezes'
>;

const nowMs = Date.now();
const seconds = (ms: number) => ({ seconds: BigInt(Math.floor(ms / 1000)), nanos: 0 });
const active = (activatedMs: number) => ({
  realm: 'r',
  version: 1,
  state: KeyState.ACTIVE,
  activateTime: seconds(activatedMs),
});

describe('callpass doctor', () => {
  let admin: Admin;
  let service: LocalService;
  let folder: string;
  const path = process.env['PATH'];

  beforeEach(async () => {
    admin = {
      getConfiguration: async () => ({
        revision: { revision: 3 },
        configuration: { realms: [{ name: 'r' }] },
      }),
      listRealmKeys: async () => ({ realmKeys: [active(nowMs)] }),
      listFreezes: async () => ({ freezes: [] }),
    };
    service = await startLocalService({
      admin: {
        getConfiguration: (...call) => admin.getConfiguration(...call),
        listRealmKeys: (...call) => admin.listRealmKeys(...call),
        listFreezes: (...call) => admin.listFreezes(...call),
      },
    });
    folder = mkdtempSync(join(tmpdir(), 'callpass-doctor-'));
  });
  afterEach(() => {
    service.stop();
    process.env['PATH'] = path;
    rmSync(folder, { recursive: true });
  });

  const doctor = async (...args: string[]) => {
    const run = await runInProcess(['doctor', '--address', service.address, '--output', 'json', ...args]);
    const { findings = [] } = JSON.parse(run.stdout) as { findings?: { check: string; state: string }[] };
    return { ...run, states: Object.fromEntries(findings.map(({ check, state }) => [check, state])) };
  };

  it('ends with 0 where all is well', async () => {
    const { exitCode, states } = await doctor();
    expect(states).toEqual({ health: 'ok', clock: 'ok', configuration: 'ok', keys: 'ok', freezes: 'ok' });
    expect(exitCode).toBe(0);
  });

  it('ends with 1 where something does not serve, and says what', async () => {
    service.health.setAll('NOT_SERVING');
    const { exitCode, stdout, states } = await doctor();
    expect(exitCode).toBe(1);
    expect(states).toMatchObject({ health: 'problem' });
    expect(stdout).toContain('callpass.v1.CredentialService does not serve');
  });

  it('ends with 3 where nobody answers', async () => {
    service.stop();
    const { exitCode, states } = await doctor('--timeout', '2s');
    expect(states).toEqual({ connection: 'problem' });
    expect(exitCode).toBe(3);
  });

  it('looks no further where it may not, and says so', async () => {
    admin.listFreezes = () => {
      throw refusal(status.PERMISSION_DENIED, 'CLIENT_NOT_GRANTED');
    };
    expect(await doctor()).toMatchObject({ exitCode: 0, states: { keys: 'skipped', clock: 'ok' } });
  });

  it('warns of freezes, and misses a configuration and keys', async () => {
    admin.listFreezes = async () => ({ freezes: [{ reason: 'flood' }] });
    expect(await doctor()).toMatchObject({ exitCode: 0, states: { freezes: 'warning' } });
    admin.getConfiguration = async () => ({});
    expect(await doctor()).toMatchObject({ exitCode: 1, states: { configuration: 'problem' } });
  });

  it('tells apart keys that are missing, overdue and in date', () => {
    const key = (activatedMs: number) => create(RealmKeySchema, active(activatedMs));
    expect(keyFindings(['r'], [], nowMs)).toMatchObject([{ state: 'problem' }]);
    expect(keyFindings(['r'], [key(nowMs - 366 * 86_400_000)], nowMs)).toMatchObject([{ state: 'warning' }]);
    expect(keyFindings(['r'], [key(nowMs)], nowMs)).toMatchObject([{ state: 'ok' }]);
  });

  it('sees a clock that is off, and which way', () => {
    const clock = (localTimeMs: number) =>
      clockFinding({ serverTimeMs: nowMs, localTimeMs, certificateEndMs: undefined });
    expect(clock(nowMs + 500)).toMatchObject({ state: 'ok' });
    expect(clock(nowMs + 10_500)).toMatchObject({
      state: 'problem',
      finding: expect.stringContaining('10.0 s behind'),
    });
    expect(clock(nowMs - 9500)).toMatchObject({ finding: expect.stringContaining('10.0 s ahead') });
  });

  it('has callpass-server look at its machine, and joins both', async () => {
    const finding = { check: 'store', state: 'problem', finding: 'gone', advice: 'look' };
    const program = join(folder, 'callpass-server');
    writeFileSync(program, `#!/bin/sh\necho '${JSON.stringify({ findings: [finding] })}'\n`);
    chmodSync(program, 0o755);
    process.env['PATH'] = `${folder}${delimiter}${path}`;
    expect(await doctor('--settings', 'x')).toMatchObject({
      exitCode: 1,
      states: { store: 'problem', health: 'ok' },
    });
    process.env['PATH'] = join(folder, 'none');
    expect((await doctor('--settings', 'x')).exitCode).toBe(2);
  });

  it('prints each finding with what to do', async () => {
    admin.listFreezes = async () => ({ freezes: [{ reason: 'flood' }] });
    const { stdout } = await runInProcess(['doctor', '--address', service.address], { isTTY: true });
    expect(stdout).toMatch(/warning {2}freezes .* 1 in force/);
    expect(stdout).toContain('-> callpass freezes shows them');
  });
});

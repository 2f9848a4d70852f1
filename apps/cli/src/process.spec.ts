import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { fileURLToPath } from 'node:url';
import { afterEach, describe, expect, it } from '@jest/globals';
import { Verdict } from '@callpass/contract';
import { startOtlpReceiver } from '@callpass/otlp-receiver';
import { startLocalService } from './testing/local-service.ts';

/** The compiled code that Node keeps halves the time of a start. */
const { PATH, NODE_COMPILE_CACHE } = process.env;
const main = fileURLToPath(new URL('main.ts', import.meta.url));
const open: (() => unknown)[] = [];
afterEach(async () => {
  for (const close of open.splice(0)) await close();
});

/** Runs the program as a process of its own. */
async function callpass(
  args: string[],
  { env = {}, stdin = '' }: { env?: NodeJS.ProcessEnv; stdin?: string } = {},
) {
  const child = spawn(process.execPath, ['--conditions=@callpass/source', main, ...args], {
    env: { PATH, NODE_COMPILE_CACHE, NODE_NO_WARNINGS: '1', ...env },
  });
  child.stdin.end(stdin);
  const [stdout, stderr, [exitCode]] = await Promise.all([
    text(child.stdout),
    text(child.stderr),
    once(child, 'close') as Promise<[number]>,
  ]);
  return { exitCode, stdout, stderr };
}

async function validatingService(seen: string[]) {
  const service = await startLocalService({
    credentials: {
      validateToken: (_request, call) => {
        seen.push(...call.metadata.get('traceparent').map(String));
        return { verdict: Verdict.EXPIRED };
      },
    },
  });
  open.push(service.stop);
  return service;
}

describe('the process', () => {
  it('ends with the exit code of the command, plain and complete into a pipe', async () => {
    const { address } = await validatingService([]);
    const run = await callpass(['validate', '-', '--realm', 'r'], {
      env: { CALLPASS_ADDRESS: address },
      stdin: 'AA\n',
    });
    expect(run).toEqual({ exitCode: 1, stdout: 'EXPIRED\n', stderr: '' });
  }, 20_000);

  it('ends with 2 on wrong use and 3 when nobody answers', async () => {
    expect(await callpass(['isue'])).toMatchObject({ exitCode: 2, stdout: '' });
    expect(await callpass(['health', '--address', '127.0.0.1:1'])).toMatchObject({ exitCode: 3, stdout: '' });
  }, 20_000);

  it('ends with 4 and a text where the answer cannot be written, all or in part, and quietly where nobody reads on', async () => {
    const { address } = await validatingService([]);
    const folder = mkdtempSync(join(tmpdir(), 'callpass-output-'));
    open.push(() => rmSync(folder, { recursive: true }));
    const shell = (command: string) => {
      const child = spawn(
        'bash',
        [
          '--norc',
          '-c',
          `callpass() { "${process.execPath}" --conditions=@callpass/source "${main}" "$@"; }; ${command}`,
        ],
        {
          env: { PATH, NODE_COMPILE_CACHE, NODE_NO_WARNINGS: '1', CALLPASS_ADDRESS: address },
          cwd: folder,
        },
      );
      return Promise.all([text(child.stderr), once(child, 'close').then(([code]: unknown[]) => code)]);
    };
    const lost = expect.stringMatching(/^callpass: standard output could not be written: ENOSPC/);
    for (const command of [
      'validate AA --realm r',
      'validate AA --realm r --output json',
      '--help',
      'health',
    ])
      expect(await shell(`callpass ${command} > /dev/full`)).toEqual([lost, 4]);
    const cut = "trap '' XFSZ; ulimit -f 1; callpass --help > part";
    expect(await shell(cut)).toEqual([expect.stringContaining('EFBIG'), 4]);
    const quiet = 'callpass validate AA --realm r | true; exit ${PIPESTATUS[0]}';
    expect((await shell(quiet))[0]).toBe('');
    // Without standard error there is nobody to tell: the exit code still says it.
    expect(await shell('callpass isue 2> /dev/full')).toEqual(['', 2]);
    expect(await shell('callpass --help > /dev/full 2> /dev/full')).toEqual(['', 4]);
  }, 60_000);

  it('sends linked spans where OTEL_* asks for them, and neither token nor subject in them', async () => {
    const traceparents: string[] = [];
    const { address } = await validatingService(traceparents);
    const receiver = await startOtlpReceiver();
    open.push(() => receiver.close());
    const run = await callpass(
      ['validate', 'canarytoken', '--realm', 'r', '--address', address, '--token', 'canarybearer'],
      {
        env: {
          OTEL_EXPORTER_OTLP_ENDPOINT: receiver.url,
          OTEL_EXPORTER_OTLP_PROTOCOL: 'http/json',
          OTEL_NODE_RESOURCE_DETECTORS: 'all',
        },
      },
    );
    expect(run).toMatchObject({ exitCode: 1, stderr: '' });
    // The process has ended, so everything has arrived.
    const client = receiver.spans().find(({ kind }) => kind === 'CLIENT');
    const command = receiver.spans().find(({ name }) => name === 'callpass.command.run');
    expect(client?.name).toBe('callpass.v1.CredentialService/ValidateToken');
    expect(client?.parentSpanId).toBe(command?.spanId);
    expect(traceparents).toEqual([`00-${client?.traceId}-${client?.spanId}-01`]);
    const sent = JSON.stringify(receiver.raw());
    expect(sent).toContain('callpass.command.run');
    expect(sent).not.toContain('canary');
  }, 20_000);

  it('does not wait for a collector that is away', async () => {
    const { address } = await validatingService([]);
    const run = await callpass(['validate', 'AA', '--realm', 'r', '--address', address], {
      env: { OTEL_EXPORTER_OTLP_ENDPOINT: 'http://127.0.0.1:1' },
    });
    expect(run).toMatchObject({ exitCode: 1, stdout: 'EXPIRED\n' });
  }, 20_000);
});

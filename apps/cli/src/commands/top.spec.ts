import { createServer, type RequestListener, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { KeyState } from '@callpass/contract';
import { status } from '@grpc/grpc-js';
import { type LocalService, refusal, startLocalService } from '../testing/local-service.ts';
import { runInProcess, type RunOptions } from '../testing/run-in-process.ts';

const inSeconds = (seconds: number) => ({
  seconds: BigInt(Math.floor(Date.now() / 1000) + seconds),
  nanos: 0,
});

/** The metrics of a server at a look; each look counts 10 more. */
const metricsAt = (look: number) => `# TYPE callpass_issue_decisions_total counter
callpass_issue_decisions_total{callpass_decision="issued",callpass_reason="NONE",callpass_destination="support"} ${10 * look}
callpass_issue_decisions_total{callpass_decision="refused",callpass_reason="FROZEN",callpass_destination="support"} ${5 * look}
rpc_server_call_duration_seconds_count{rpc_method="callpass.v1.CredentialService/IssueCredentials"} ${10 * look}
rpc_server_call_duration_seconds_bucket{rpc_method="callpass.v1.CredentialService/IssueCredentials",le="0.005"} ${10 * look}
rpc_server_call_duration_seconds_bucket{rpc_method="callpass.v1.CredentialService/IssueCredentials",le="+Inf"} ${10 * look}
callpass_limit_headroom_ratio{callpass_destination="support",callpass_limit="limits[0] per SUBJECT"} 0.25
callpass_certificate_expiry_seconds{callpass_certificate="server"} 864000
callpass_ready 1
callpass_dependency_up{callpass_dependency="limiter"} 0
`;

let service: LocalService;
const ports: Server[] = [];
const admin = {
  listConfigurationRevisions: () => ({ revisions: [{ revision: 7 }] }),
  listFreezes: () => ({ freezes: [] }),
  listRealmKeys: () => ({
    realmKeys: [
      { realm: 'support.example', version: 1, state: KeyState.RETIRED, validateUntilTime: inSeconds(600) },
      { realm: 'support.example', version: 2, state: KeyState.ACTIVE },
    ],
  }),
};
beforeEach(async () => {
  service = await startLocalService({ admin });
});
afterEach(() => {
  service.stop();
  for (const port of ports.splice(0)) port.close().closeAllConnections();
});

/** A telemetry port that answers so; gives its address. */
async function metricsPort(answer: RequestListener): Promise<string> {
  const port = createServer(answer);
  ports.push(port);
  await new Promise<void>((resolve) => port.listen(0, '127.0.0.1', resolve));
  return `http://127.0.0.1:${(port.address() as AddressInfo).port}`;
}

const counting = () => {
  let look = 0;
  return metricsPort((request, response) => {
    response.writeHead(request.url === '/metrics' ? 200 : 404).end(metricsAt(++look));
  });
};

const top = (args: readonly string[], options: RunOptions = {}) =>
  runInProcess(['top', '--address', service.address, '--interval', '100ms', ...args], options);

/** The rows of a kind, without their time. */
const rowsOf = (stdout: string, kind: string) =>
  stdout
    .trimEnd()
    .split('\n')
    .map((line) => line.split('\t').slice(1))
    .filter(([first]) => first === kind)
    .map(([, ...rest]) => rest);

describe('callpass top --once', () => {
  it('prints what happened between two looks, in rows', async () => {
    const { exitCode, stdout } = await top(['--once', '--metrics', await counting()]);
    expect(exitCode).toBe(0);
    expect(rowsOf(stdout, 'health')).toContainEqual(['the server', 'serves']);
    expect(rowsOf(stdout, 'configuration')).toEqual([['revision 7', 'freezes 0']]);
    expect(rowsOf(stdout, 'instance')).toEqual([
      [
        ...[
          expect.stringMatching(/^127\.0\.0\.1:\d+$/),
          'issues',
          expect.stringMatching(/^issued (?!0\/).*\/s$/),
        ],
        ...[expect.stringMatching(/^refused \d/), 'p99 5.0 ms', 'cpu 0 %', 'limiter does not answer'],
      ],
    ]);
    expect(rowsOf(stdout, 'refused')).toEqual([
      ['FROZEN', 'support', expect.stringMatching(/^(?!0\/).*\/s$/)],
    ]);
    expect(rowsOf(stdout, 'limit')).toEqual([['support', 'limits[0] per SUBJECT', 'used 75 %']]);
    expect(rowsOf(stdout, 'end')).toEqual([
      ['retired key 1 of support.example', 'validates until', expect.stringMatching(/^9 min|^10 min$/)],
      ['certificate server', 'expires', '10 d'],
    ]);
  });

  it('adds up instances, and names one that cannot be reached with what to do', async () => {
    const [first, second] = [await counting(), await counting()];
    const gone = await metricsPort(() => undefined);
    ports.pop()?.close();
    const { exitCode, stdout } = await top([
      ...['--once', '--output', 'json'],
      ...[first, second, gone].flatMap((url) => ['--metrics', url]),
    ]);
    expect(exitCode).toBe(0);
    const view = JSON.parse(stdout) as {
      instances: { issuedPerSecond?: number; unreached?: object }[];
      destinations: { destination: string; issuedPerSecond: number }[];
    };
    expect(view.instances[2]?.unreached).toEqual({
      fault: 'ECONNREFUSED',
      next: expect.stringContaining('--metrics URL'),
    });
    const own = view.instances.map(({ issuedPerSecond = 0 }) => issuedPerSecond);
    expect(view.destinations[0]?.issuedPerSecond).toBeCloseTo((own[0] ?? 0) + (own[1] ?? 0));
  });

  it.each<[string, RequestListener, string]>([
    ['with a page', (_, response) => response.end('<html>'), 'it sends no metrics of Prometheus: see line 1'],
    ['with an error', (_, response) => response.writeHead(500).end(), 'it answers with HTTP 500'],
    [
      'elsewhere',
      (_, response) => response.writeHead(302, { location: 'http://127.0.0.1:1/' }).end(),
      'it answers with HTTP 302',
    ],
    [
      'without end',
      (_, response) => response.end(Buffer.alloc(5_000_000, '#')),
      'it sends more than 4194304 bytes',
    ],
    ['never', () => undefined, 'no answer within 0.3 s'],
  ])('shows a port that answers %s as not reached', async (name, answer, fault) => {
    const patience = name === 'never' ? ['--timeout', '300ms'] : [];
    const { exitCode, stdout } = await top(['--once', ...patience, '--metrics', await metricsPort(answer)]);
    expect(exitCode).toBe(0);
    expect(rowsOf(stdout, 'instance')[0]?.slice(1, 3)).toEqual(['not reached', fault]);
  });

  it('lets no control character of a label reach the terminal', async () => {
    const url = await metricsPort((_, response) => {
      response.end(
        'callpass_limit_headroom_ratio{callpass_destination="\u001b[2J\u009b",callpass_limit="\u0007\\n"} 0.1\n',
      );
    });
    for (const isTTY of [true, false]) {
      const { stdout } = await top(['--once', '--metrics', url], { isTTY, noColor: true });
      // eslint-disable-next-line no-control-regex
      expect(stdout).not.toMatch(/[\u0000-\u0008\u000b-\u001f\u007f-\u009f]/);
      expect(stdout).toContain('\\u001b[2J');
    }
  });

  it('shows the rest to somebody who is no operator', async () => {
    const listFreezes = () => {
      throw refusal(status.PERMISSION_DENIED, 'ROLE_MISSING');
    };
    service.stop();
    service = await startLocalService({ admin: { ...admin, listFreezes } });
    const { exitCode, stdout } = await top(['--once', '--metrics', await counting()]);
    expect(exitCode).toBe(0);
    expect(rowsOf(stdout, 'configuration')).toEqual([
      ['not reached', 'ROLE_MISSING', 'configuration, freezes and keys need the role OPERATOR'],
    ]);
    expect(rowsOf(stdout, 'destination')).toHaveLength(1);
  });

  it('ends with 3 where nothing can be reached', async () => {
    service.stop();
    const gone = await metricsPort(() => undefined);
    ports.pop()?.close();
    const { exitCode, stdout } = await top(['--once', '--timeout', '500ms', '--metrics', gone]);
    expect([exitCode, rowsOf(stdout, 'instance')[0]?.[1]]).toEqual([3, 'not reached']);
  });

  it.each([
    ['a URL that is none', ['--metrics', 'localhost'], 'Give a URL'],
    ['a file', ['--metrics', 'file:///etc/passwd'], 'Give a URL'],
    ['a password in the URL', ['--metrics', 'http://a:b@127.0.0.1:1'], 'Give a URL'],
    ['looks without a pause', ['--interval', '1ms'], 'Give 100ms or more'],
  ])('refuses %s', async (_, args, text) => {
    const { exitCode, stderr } = await top(args);
    expect([exitCode, stderr]).toEqual([2, expect.stringContaining(text)]);
  });
});

describe('callpass top', () => {
  it('prints nothing of a look that was left', async () => {
    const interrupted = new AbortController();
    const silent = await metricsPort(() => {
      interrupted.abort();
    });
    for (const isTTY of [true, false]) {
      const { exitCode, stdout } = await top(['--metrics', silent], {
        isTTY,
        interrupted: interrupted.signal,
      });
      expect([exitCode, stdout]).toEqual([0, isTTY ? expect.not.stringContaining('INSTANCE') : '']);
    }
  });

  it('draws pictures in each other’s place until Ctrl-C, and gives the terminal back', async () => {
    const interrupted = new AbortController();
    const { exitCode, stdout } = await top(['--metrics', await counting()], {
      isTTY: true,
      interrupted: interrupted.signal,
      onStdout(text) {
        if (text.includes('FROZEN')) interrupted.abort();
      },
    });
    expect(exitCode).toBe(0);
    const [before, first = '', second = '', ...more] = stdout.split('\u001b[H');
    expect([before, more]).toEqual(['\u001b[?1049h\u001b[?25l\u001b[?7l', []]);
    expect(first).toContain('rates follow with the second look');
    expect(second.endsWith('\u001b[J\u001b[?7h\u001b[?25h\u001b[?1049l')).toBe(true);
  });

  it('writes rows without end where it is no terminal, and a JSON object on each line if asked', async () => {
    for (const args of [[], ['--output', 'json']]) {
      const interrupted = new AbortController();
      const { exitCode, stdout } = await top([...args, '--metrics', await counting()], {
        interrupted: interrupted.signal,
        onStdout(text) {
          if (text.split('FROZEN').length > 2) interrupted.abort();
        },
      });
      expect(exitCode).toBe(0);
      if (args.length > 0)
        for (const line of stdout.trimEnd().split('\n'))
          expect(JSON.parse(line)).toHaveProperty('intervalSeconds', 0.1);
      else expect(rowsOf(stdout, 'refused')).toHaveLength(2);
    }
  });
});

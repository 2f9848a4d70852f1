import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { timestampFromMs } from '@bufbuild/protobuf/wkt';
import {
  type AddRealmKeyRequest,
  type DestroyRealmKeyRequest,
  type ApplyConfigurationRequest,
  ApplyConfigurationRequestSchema,
  ConfigurationChange_Kind,
  type FreezeRequest,
  KeyState,
  TokenKind,
  type ValidateTokenRequest,
  Verdict,
} from '@callpass/contract';
import { assertValid, detail, RpcError } from '@callpass/grpc-kit';
import { BadRequestSchema, RetryInfoSchema } from '@callpass/rpc-protos/gen/google/rpc/error_details_pb.js';
import { DOCUMENT_FAULTS } from '@callpass/testkit/document-faults';
import { processorMs, YAML_BOMB_MS, YAML_BOMBS } from '@callpass/testkit/yaml-bombs';
import { status } from '@grpc/grpc-js';
import { type Answers, type LocalService, refusal, startLocalService } from './testing/local-service.ts';
import { runInProcess, type Run } from './testing/run-in-process.ts';

const TIME = timestampFromMs(Date.parse('2026-11-25T10:00:00Z'));
const issued = {
  issuanceId: 'i-1',
  grant: {
    case: 'timeLimited',
    value: { accountToken: 'AA', fromToken: 'BB', toToken: 'CC', realm: 'support.example' },
  },
  callee: 'support@kandy.example',
  caller: 'anonymous@kandy.example',
  issueTime: TIME,
  expireTime: TIME,
  refreshTime: TIME,
  keyVersion: 3,
} as const;

const DOCUMENT = `realms:
  - name: support.example
    cipher: AES_128_ECB
    tokenLifetime: 600s
destinations:
  - id: support
    realm: support.example
    account: anonymous@kandy.example
    callees: [support@kandy.example]
`;

let folder: string;
/** The services of a test. */
let services: LocalService[] = [];

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'callpass-cli-'));
});
afterAll(() => {
  rmSync(folder, { recursive: true });
});
afterEach(() => {
  for (const service of services) service.stop();
  services = [];
});

function file(name: string, text: string): string {
  const path = join(folder, name);
  writeFileSync(path, text);
  return path;
}

async function serve(answers: Answers): Promise<LocalService> {
  const service = await startLocalService(answers);
  services.push(service);
  return service;
}

/** Runs the program against a service that answers so. */
async function callpass(answers: Answers, args: string[], options: Parameters<typeof runInProcess>[1] = {}) {
  const service = await serve(answers);
  return runInProcess([...args, '--address', service.address], options);
}

describe('callpass config try', () => {
  const limits = [
    { name: 'limits[0] per SUBJECT', max: 5, window: { seconds: 60n }, taken: 5 },
    { name: 'limits[1] per REALM', max: 9, window: { seconds: 60n }, shadow: true },
  ];
  const closed = {
    allowed: false,
    reason: 'DESTINATION_CLOSED',
    rule: 'hours',
    text: 'the destination is closed at this time',
    openTime: TIME,
    limits,
  };

  it('asks what was given, and ends with 0 when it would be allowed', async () => {
    const seen: unknown[] = [];
    const tryIssue = (request: unknown) => {
      seen.push(request);
      return {
        allowed: true,
        text: 'credentials would be issued',
        callee: 'b@x.example',
        caller: 'a@x.example',
      };
    };
    const run = await callpass(
      { admin: { tryIssue } },
      ['config', 'try', 'support', '--at', '2026-11-25T11:00:00+01:00', '--subject', '-', '--client', 'edge'],
      { stdin: 'visitor-7\n' },
    );
    expect(run).toMatchObject({ exitCode: 0, stderr: '' });
    expect(run.stdout).toBe(
      'allowed: credentials would be issued\ncallee: b@x.example\ncaller: a@x.example\n',
    );
    expect(seen).toMatchObject([
      { destination: 'support', subject: 'visitor-7', client: 'edge', time: TIME },
    ]);
  });

  it('ends with 1 when it would be refused, and names the rule and what is taken', async () => {
    const run = await callpass({ admin: { tryIssue: () => closed } }, ['config', 'try', 'support']);
    expect(run.exitCode).toBe(1);
    expect(run.stdout.split('\n')).toEqual([
      'refused: the destination is closed at this time',
      'reason: DESTINATION_CLOSED',
      'rule: hours',
      'opens: 2026-11-25T10:00:00Z',
      'limits[0] per SUBJECT\t5\t5\t60s\tenforced',
      'limits[1] per REALM\t?\t9\t60s\tshadow',
      '',
    ]);
  });

  it('writes protojson where that is asked for, with the same exit code', async () => {
    const run = await callpass({ admin: { tryIssue: () => closed } }, [
      'config',
      'try',
      'support',
      '--output',
      'json',
    ]);
    expect(run.exitCode).toBe(1);
    expect(JSON.parse(run.stdout)).toMatchObject({
      allowed: false,
      rule: 'hours',
      limits: [{ taken: 5 }, {}],
    });
  });

  it('tries a document, and names the line of what does not hold in it', async () => {
    const name = file('try.yaml', DOCUMENT);
    const seen: unknown[] = [];
    const tryIssue = (request: { configuration?: unknown }) => {
      seen.push(request.configuration);
      throw refusal(status.INVALID_ARGUMENT, 'REQUEST_INVALID', {
        details: [
          detail(BadRequestSchema, {
            fieldViolations: [
              { field: 'configuration.destinations[0].account', description: 'is no address' },
            ],
          }),
        ],
      });
    };
    const run = await callpass({ admin: { tryIssue } }, ['config', 'try', 'support', '-f', name]);
    expect(run.exitCode).toBe(1);
    expect(run.stderr).toContain(`${name} cannot be tried`);
    expect(run.stderr).toContain(`${name}:8:14: destinations[0].account: is no address`);
    expect(seen).toMatchObject([{ destinations: [{ id: 'support' }] }]);
  });
});

describe('callpass issue', () => {
  it('ends with 0 and writes protojson with all fields', async () => {
    const run = await callpass({ credentials: { issueCredentials: () => issued } }, [
      'issue',
      'support',
      '--output',
      'json',
    ]);
    expect(run).toMatchObject({ exitCode: 0, stderr: '' });
    expect(JSON.parse(run.stdout)).toEqual({
      issuanceId: 'i-1',
      timeLimited: { accountToken: 'AA', fromToken: 'BB', toToken: 'CC', realm: 'support.example' },
      callee: 'support@kandy.example',
      caller: 'anonymous@kandy.example',
      issueTime: '2026-11-25T10:00:00Z',
      expireTime: '2026-11-25T10:00:00Z',
      refreshTime: '2026-11-25T10:00:00Z',
      keyVersion: 3,
    });
  });

  it('writes fields that are zero too, so that scripts need no defaults', async () => {
    const unrestricted = { ...issued, grant: { case: 'unrestricted', value: {} }, keyVersion: 0 } as const;
    const run = await callpass({ credentials: { issueCredentials: () => unrestricted } }, [
      'issue',
      'lobby',
      '--output=json',
    ]);
    expect(JSON.parse(run.stdout)).toMatchObject({ unrestricted: {}, keyVersion: 0 });
  });

  it('sends what was asked for, the subject from stdin where it should not stay in a history', async () => {
    const seen: unknown[] = [];
    const answer = (request: unknown) => {
      seen.push(request);
      return issued;
    };
    const args = ['--subject', '-', '--callee', 'a@b', '--caller', 'c@d', '--request-id', 'r'];
    await callpass({ credentials: { issueCredentials: answer } }, ['issue', 'support', ...args], {
      stdin: 'visitor-7\n',
    });
    expect(seen).toMatchObject([
      { destination: 'support', subject: 'visitor-7', callee: 'a@b', caller: 'c@d', requestId: 'r' },
    ]);
  });

  it('ends with 1 when refused, and says why, when to come back and which trace to ask for', async () => {
    const limited = refusal(status.RESOURCE_EXHAUSTED, 'LIMIT_EXCEEDED', {
      message: 'too many',
      metadata: { traceId: 'a'.repeat(32) },
      details: [detail(RetryInfoSchema, { retryDelay: { seconds: 12n } })],
    });
    const refuse = () => {
      throw limited;
    };
    const run = await callpass({ credentials: { issueCredentials: refuse } }, ['issue', 'support']);
    expect(run).toEqual({
      exitCode: 1,
      stdout: '',
      stderr: `callpass: too many\nreason: LIMIT_EXCEEDED\nstatus: RESOURCE_EXHAUSTED\nretry after: 12 s\ntrace: ${'a'.repeat(32)}\n`,
    });
  });

  it('writes the refusal as one JSON object where JSON is asked for, and the text to stderr', async () => {
    const refuse = () => {
      throw refusal(status.PERMISSION_DENIED, 'FROZEN');
    };
    const run = await callpass({ credentials: { issueCredentials: refuse } }, [
      'issue',
      'support',
      '--output=json',
    ]);
    expect(run.exitCode).toBe(1);
    expect(JSON.parse(run.stdout)).toEqual({
      error: {
        message: 'refused: FROZEN',
        code: 'PERMISSION_DENIED',
        reason: 'FROZEN',
        violations: [],
        metadata: {},
      },
    });
    expect(run.stderr).toContain('reason: FROZEN');
  });
});

describe('exit code 3', () => {
  it('is for a service that nobody can reach', async () => {
    const service = await serve({});
    service.stop();
    const run = await runInProcess(['issue', 'support', '--address', service.address]);
    expect(run.exitCode).toBe(3);
    expect(run.stderr).toMatch(
      /^callpass: no answer from 127\.0\.0\.1:\d+: nothing listens there; see that the service runs/,
    );
  });

  it('is for a service that does not answer in time', async () => {
    const hang = () => new Promise<never>(() => undefined);
    const run = await callpass({ credentials: { issueCredentials: hang } }, [
      'issue',
      'support',
      '--timeout',
      '50ms',
    ]);
    expect(run.exitCode).toBe(3);
    expect(run.stderr).toContain('DEADLINE_EXCEEDED');
  });

  it('is not for a service that says why it is unavailable', async () => {
    const refuse = () => {
      throw refusal(status.UNAVAILABLE, 'LEDGER_UNAVAILABLE');
    };
    const run = await callpass({ credentials: { issueCredentials: refuse } }, ['issue', 'support']);
    expect(run.exitCode).toBe(1);
  });
});

it.each(['2147484s', '99999999999m', `${2 ** 31}`])(
  '--timeout %s is longer than a timer and not over',
  async (timeout) => {
    const seen: number[] = [];
    const answers: Answers = {
      credentials: {
        validateToken: (_request, call) => {
          seen.push((call.deadline?.getTime() ?? 0) - Date.now());
          return { verdict: Verdict.VALID };
        },
      },
    };
    const run = await callpass(answers, ['validate', 'AA', '--realm', 'r', '--timeout', timeout]);
    expect(run.exitCode).toBe(0);
    expect((seen[0] ?? 0) / 86_400_000).toBeCloseTo(24.8, 0);
  },
);

/** Words of libraries, of the system and of programs, none of which helps a person. */
const NOT_FOR_PEOPLE =
  /\b(E[A-Z]{5,}|ERR_\w+)\b|error:|routines|OSSL|TypeError|\bat \S+:\d+|grpc|protobuf|YAML\w*Error|\bnull\b|undefined|NaN|\[object|Unexpected token|getaddrinfo|ENOENT/;
/** Words that tell the next step. */
const NEXT_STEP =
  /;|: give |\bgive\b|Give |Allowed choices|--help|go together|needs --|exclude|Did you mean|expected one of/;

describe('a text about what cannot be done is for a person, and says what to do next:', () => {
  const nothing = ['--address', '127.0.0.1:1', '--timeout', '2s'];
  const pem = (name: string) => file(name, 'none');
  const cases: readonly (readonly [string, (() => string[]) | string[], string?])[] = [
    ['nothing listens', ['issue', 'd', ...nothing]],
    ['a port that is none', ['issue', 'd', '--address', '127.0.0.1:99999']],
    ['a host that is none', ['issue', 'd', '--address', 'gone.invalid:1', '--tls', '--timeout', '3s']],
    ['no host', ['issue', 'd', '--address', ':1', '--tls']],
    ['plain text to another machine', ['issue', 'd', '--address', 'callpass.example:1']],
    ['an authority that is empty', ['issue', 'd', '--ca', '/dev/null']],
    ['an authority that is none', () => ['issue', 'd', '--ca', pem('none.pem')]],
    ['an authority that is not there', ['issue', 'd', '--ca', '/nonexistent/ca.crt']],
    ['a certificate that is none', () => ['issue', 'd', '--cert', pem('a.pem'), '--key', pem('b.pem')]],
    ['a certificate without key', ['issue', 'd', '--cert', 'x']],
    ['a token that is not there', ['issue', 'd', '--token-file', '/nonexistent/token']],
    ['two tokens', ['issue', 'd', '--token', 'a', '--token-file', 'b']],
    ['a document that is not there', ['config', 'apply', '-f', '/nonexistent/c.yaml', ...nothing]],
    ['a document that is a folder', ['config', 'apply', '-f', '/', ...nothing]],
    ['a document of no YAML', ['config', 'apply', '-f', '-', ...nothing], 'realms: ['],
    ['a document with a tab', ['config', 'apply', '-f', '-', ...nothing], 'realms:\n\t- name: r'],
    ['a document with an unknown key', ['config', 'apply', '-f', '-', ...nothing], 'realm: []'],
    [
      'a document with a wrong value',
      ['config', 'apply', '-f', '-', ...nothing],
      'realms: [{ cipher: DES }]',
    ],
    ['an empty document', ['config', 'apply', '-f', '-', ...nothing], ''],
    ['bytes that are no text', ['config', 'apply', '-f', '-', ...nothing], '\u0001\ufffd'],
    ['a key that is not there', ['key', 'add', 'r', '--key-file', '/nonexistent/key', ...nothing]],
    ['a key of no source', ['key', 'add', 'r', ...nothing]],
    ['force without a reason', ['key', 'destroy', 'r', '1', '--force', ...nothing]],
    ['an export that is not there', ['ledger', 'verify', '--file', '/nonexistent/e.jsonl']],
    ['an export to no folder', ['ledger', 'export', '-o', '/nonexistent/e.jsonl', ...nothing]],
    ['certificates to no folder', ['dev-certs', '--out', '/dev/zero/x']],
    ['a wrong time', ['ledger', 'list', '--since', 'noon']],
    ['a wrong number', ['key', 'activate', 'r', 'x']],
    ['a wrong option', ['issue', 'd', '--colour']],
    ['a wrong command', ['isue']],
    ['an argument too much', ['issue', 'a', 'b']],
    ['an option without a value', ['issue', 'd', '--address']],
  ];
  it.each(cases)('%s', async (_name, args, stdin = '') => {
    const { exitCode, stdout, stderr } = await runInProcess(typeof args === 'function' ? args() : args, {
      stdin,
    });
    expect([exitCode > 0, stdout]).toEqual([true, '']);
    expect(stderr).not.toMatch(NOT_FOR_PEOPLE);
    expect(stderr).toMatch(NEXT_STEP);
    for (const line of stderr.trimEnd().split('\n')) expect(line.length).toBeLessThan(300);
  });
});

describe('exit code 2', () => {
  it.each([
    ['no command', [], 'Usage'],
    ['an unknown command', ['isue'], 'unknown command'],
    ['an unknown option', ['issue', 'support', '--colour'], 'unknown option'],
    ['a missing argument', ['issue'], 'missing required argument'],
    ['a kind that is none', ['validate', 'AA', '--realm', 'r', '--kind', 'callee'], 'account, from or to'],
    ['a scope that is none', ['freeze', 'planet', 'earth', '--reason', 'x'], 'Allowed choices'],
    [
      'a time without offset',
      ['freeze', 'realm', 'r', '--reason', 'x', '--until', '2026-12-24T18:00:00'],
      'Give a time',
    ],
    ...['2027-02-29T18:00:00Z', '2026-12-24T24:00:00Z'].map((time): [string, string[], string] => [
      `a time that no calendar has, ${time}`,
      ['freeze', 'realm', 'r', '--reason', 'x', '--until', time],
      'Give a time',
    ]),
    ['a time limit that is none', ['freezes', '--timeout', '0'], 'Give a time'],
    ['two tokens', ['freezes', '--token', 'a', '--token-file', 'b'], 'not both'],
    ['a key without certificate', ['freezes', '--key', 'k'], 'go together'],
    ['a key neither given nor generated', ['key', 'add', 'r'], '--key-file or --generate'],
    ['a file that is not there', ['config', 'apply', '-f', '/nonexistent/c.yaml'], 'there is no such file'],
    [
      'certificates that are none',
      ['freezes', '--ca', '/dev/null', '--cert', '/dev/null', '--key', '/dev/null'],
      'callpass: ',
    ],
    [
      'plain text to another machine',
      ['freezes', '--address', 'callpass.example:7443'],
      'not on this machine',
    ],
  ])('is for %s', async (_name, args, text) => {
    const run = await runInProcess(args);
    expect(run.exitCode).toBe(2);
    expect(run.stderr).toContain(text);
    expect(run.stdout).toBe('');
  });

  it('is for an empty address, and an address of the environment that is empty is none', async () => {
    const run = await runInProcess(['freezes', '--address', '']);
    expect(run).toMatchObject({ exitCode: 2, stderr: 'callpass: --address is empty; give host:port\n' });
    process.env['CALLPASS_ADDRESS'] = '';
    try {
      const { stderr } = await runInProcess(['key', 'add', 'r']);
      expect(stderr).toBe('callpass: give --key-file or --generate\n');
    } finally {
      delete process.env['CALLPASS_ADDRESS'];
    }
  });

  it('is not for --help and --version', async () => {
    expect(await runInProcess(['--version'])).toMatchObject({
      exitCode: 0,
      stdout: expect.stringMatching(/^\d/),
    });
    expect(await runInProcess(['issue', '--help'])).toMatchObject({
      exitCode: 0,
      stdout: expect.stringContaining('--timeout'),
    });
  });
});

describe('--help', () => {
  it('of the program names every command, and of each command what it takes', async () => {
    const { stdout } = await runInProcess(['--help']);
    const commands = [...stdout.matchAll(/^ {2}([a-z]+)(?: \[options\])?(?: [<[].*)? {2}/gm)].map(
      ([, name = '']) => name,
    );
    expect(commands).toEqual([
      ...[
        'issue',
        'validate',
        'explain',
        'config',
        'key',
        'freeze',
        'unfreeze',
        'freezes',
        'incident',
        'ledger',
        'top',
        'health',
        'doctor',
      ],
      'help',
    ]);
    for (const command of commands.slice(0, -1)) {
      const help = await runInProcess([command, '--help']);
      expect(help).toMatchObject({ exitCode: 0, stderr: '' });
      expect(help.stdout).toMatch(new RegExp(`^Usage: callpass ${command} `));
      expect(help.stdout).toContain('--address <target>');
    }
  });

  it.each([
    ['config', ['apply', 'get', 'history']],
    ['key', ['add', 'list', 'plan', 'activate', 'retire', 'destroy']],
    ['incident', ['key', 'client', 'subject', 'subject-hash']],
    ['ledger', ['list', 'tail', 'verify', 'export', 'remove']],
  ])('of %s names what it can do', async (group, names) => {
    const { stdout } = await runInProcess([group, '--help']);
    for (const name of names) {
      expect(stdout).toContain(`\n  ${name} `);
      const help = await runInProcess([group, name, '--help']);
      expect(help.stdout).toMatch(new RegExp(`^Usage: callpass ${group} ${name} .*\n\n\\S.*`));
    }
  });
});

describe('callpass validate', () => {
  const answering = (verdict: Verdict, seen: ValidateTokenRequest[] = []): Answers => ({
    credentials: {
      validateToken: (request) => {
        seen.push(request);
        return { verdict, user: 'sip:a@b', keyVersion: 2 };
      },
    },
  });

  it('ends with 0 for a VALID token, which it can read from stdin', async () => {
    const seen: ValidateTokenRequest[] = [];
    const args = ['validate', '-', '--realm', 'r', '--kind', 'to', '--require-issued-here'];
    const run = await callpass(answering(Verdict.VALID, seen), args, { stdin: 'C0FFEE\r\n' });
    expect(run).toEqual({ exitCode: 0, stdout: 'VALID\nuser: sip:a@b\nkeyVersion: 2\n', stderr: '' });
    expect(seen).toMatchObject([
      { token: 'C0FFEE', realm: 'r', kind: TokenKind.TO, requireIssuedHere: true },
    ]);
  });

  it('says beside the verdict that the server cannot read the newest state', async () => {
    const credentials = { validateToken: () => ({ verdict: Verdict.VALID, stale: true }) };
    const run = await callpass({ credentials }, ['validate', 'C0FFEE', '--realm', 'r']);
    expect(run).toMatchObject({ exitCode: 0, stdout: 'VALID\nstale: true\n' });
    expect(run.stderr).toContain('may miss a freeze');
  });

  it('ends with 1 for any other verdict, which is an answer and no error', async () => {
    const run = await callpass(answering(Verdict.EXPIRED), [
      'validate',
      'AA',
      '--realm',
      'r',
      '--output=json',
    ]);
    expect(run).toMatchObject({ exitCode: 1, stderr: '' });
    expect(JSON.parse(run.stdout)).toEqual({
      verdict: 'EXPIRED',
      user: 'sip:a@b',
      keyVersion: 2,
      stale: false,
    });
  });
});

describe('callpass explain', () => {
  it('says what was found, and ends with 0 since it was found out', async () => {
    const explainToken = () => ({
      summary: { verdict: Verdict.WRONG_TIME_UNIT, user: 'a@b' },
      findings: [{ code: 'SECONDS_FOR_MILLISECONDS', text: 'ten digits' }],
    });
    const run = await callpass({ admin: { explainToken } }, ['explain', 'AA', '--realm', 'r']);
    expect(run).toEqual({
      exitCode: 0,
      stdout: 'WRONG_TIME_UNIT\nuser: a@b\nSECONDS_FOR_MILLISECONDS: ten digits\n',
      stderr: '',
    });
  });
});

describe('callpass config', () => {
  const admin = (seen: ApplyConfigurationRequest[]): NonNullable<Answers['admin']> => ({
    listConfigurationRevisions: () => ({ revisions: [{ revision: 4 }] }),
    applyConfiguration: (request) => {
      seen.push(request);
      return {
        revision: request.dryRun ? 4 : 5,
        changes: [
          { kind: ConfigurationChange_Kind.CHANGED, path: 'realms[r].cipher', before: '"A"', after: '"B"' },
        ],
        warnings: ['look at this'],
      };
    },
  });

  it('applies a document over the revision in force, and shows the changes', async () => {
    const seen: ApplyConfigurationRequest[] = [];
    const run = await callpass({ admin: admin(seen) }, ['config', 'apply', '-f', file('c.yaml', DOCUMENT)]);
    expect(run).toEqual({
      exitCode: 0,
      stdout: '~ realms[r].cipher: "A" -> "B"\n',
      stderr: 'warning: look at this\nrevision 5 is in force\n',
    });
    expect(seen).toMatchObject([
      {
        expectedRevision: 4,
        dryRun: false,
        force: false,
        configuration: { realms: [{ name: 'support.example' }] },
      },
    ]);
  });

  it('shows the changes of a dry run and says that nothing is applied', async () => {
    const seen: ApplyConfigurationRequest[] = [];
    const run = await callpass(
      { admin: admin(seen) },
      ['config', 'apply', '-f', '-', '--dry-run', '--force', '--expected-revision', '9', '--output=json'],
      { stdin: DOCUMENT },
    );
    expect(seen).toMatchObject([{ expectedRevision: 9, dryRun: true, force: true }]);
    expect(JSON.parse(run.stdout)).toMatchObject({ revision: 4, changes: [{ kind: 'CHANGED' }] });
    expect(run.stderr).toContain('dry run: nothing is applied, revision 4 stays in force');
  });

  it('names the line of each thing that the service finds wrong', async () => {
    const applyConfiguration = () => {
      throw refusal(status.INVALID_ARGUMENT, 'REQUEST_INVALID', {
        details: [
          detail(BadRequestSchema, {
            fieldViolations: [
              { field: 'configuration.realms[0].token_lifetime', description: 'too long' },
              { field: 'configuration.destinations[0].realm', description: 'no such realm' },
            ],
          }),
        ],
      });
    };
    const path = file('c.yaml', DOCUMENT);
    const run = await callpass({ admin: { ...admin([]), applyConfiguration } }, [
      'config',
      'apply',
      '-f',
      path,
      '--output=json',
    ]);
    expect(run.exitCode).toBe(1);
    expect(run.stderr).toContain(`${path}:4:20: realms[0].token_lifetime: too long\n`);
    expect(run.stderr).toContain(`${path}:7:12: destinations[0].realm: no such realm\n`);
    expect(JSON.parse(run.stdout)).toMatchObject({
      error: {
        violations: [
          { line: 4, column: 20 },
          { line: 7, column: 12 },
        ],
      },
    });
  });

  it('names line and field of each control character and fraction of a second, by the rules of the contract', async () => {
    const applyConfiguration = (request: ApplyConfigurationRequest) => {
      assertValid(ApplyConfigurationRequestSchema, request);
      return { revision: 5 };
    };
    const answers = { admin: { ...admin([]), applyConfiguration } };
    for (const { name, text, line, field } of DOCUMENT_FAULTS) {
      const run = await callpass(answers, ['config', 'apply', '-f', file('fault.yaml', text)]);
      expect([name, run.exitCode, run.stderr]).toEqual([
        name,
        1,
        expect.stringContaining(`fault.yaml:${line}:`),
      ]);
      expect(run.stderr).toContain(`: ${field}: must `);
    }
  });

  it.each([
    ['{}', [{ allowEmpty: true, configuration: { realms: [], destinations: [], clients: [] } }]],
    [DOCUMENT, [{ allowEmpty: false }]],
  ])('lets a document remove everything only if it is {}: %j', async (stdin, requests) => {
    const seen: ApplyConfigurationRequest[] = [];
    const run = await callpass({ admin: admin(seen) }, ['config', 'apply', '-f', '-'], { stdin });
    expect(run.exitCode).toBe(0);
    expect(seen).toMatchObject(requests);
  });

  it('refuses a document that is all comments, without asking the service', async () => {
    const path = file('comments.yaml', '# realms: []\n');
    const run = await runInProcess(['config', 'apply', '-f', path, '--address', '127.0.0.1:1']);
    expect(run.exitCode).toBe(1);
    expect(run.stderr).toContain(`${path}:1:1: the document is empty`);
    expect(run.stderr).toContain('write {} if that is meant');
  });

  it.each([
    ...YAML_BOMBS.slice(0, 5).map(([name, text]) => [name, text, ['apply']] as const),
    ...[['try', 'support'], ['replay']].map((command) => [command[0], YAML_BOMBS[1]?.[1], command] as const),
  ])('refuses soon, with its line: %s', async (_name, text = '', command) => {
    const args = ['config', ...command, '-f', file('bomb.yaml', text), '--address', '127.0.0.1:1'];
    let run: Run = { exitCode: 0, stdout: '', stderr: '' };
    expect(await processorMs(async () => (run = await runInProcess(args)))).toBeLessThan(YAML_BOMB_MS);
    expect(run.exitCode).toBe(1);
    expect(run.stderr).toMatch(/\/bomb\.yaml:\d+:\d+: ./);
    expect(run.stderr).not.toContain('127.0.0.1');
  });

  it('names the line of what is no configuration, without asking the service', async () => {
    const path = file('bad.yaml', DOCUMENT.replace('cipher', 'cypher'));
    const run = await runInProcess(['config', 'apply', '-f', path, '--address', '127.0.0.1:1']);
    expect(run.exitCode).toBe(1);
    expect(run.stderr).toContain(`${path}:3:5: realms[0]: unknown key "cypher"`);
  });

  it('gives back the document alone on stdout, so that it can be edited and applied', async () => {
    const getConfiguration = () => ({
      configuration: { realms: [{ name: 'support.example' }] },
      revision: { revision: 4, applyTime: TIME, appliedBy: 'ops' },
    });
    const run = await callpass({ admin: { getConfiguration } }, ['config', 'get']);
    expect(run).toEqual({
      exitCode: 0,
      stdout: 'realms:\n  - name: support.example\n',
      stderr: 'revision 4, applied 2026-11-25T10:00:00Z by ops\n',
    });
  });

  it('collects the pages of the history up to the limit', async () => {
    const sizes: number[] = [];
    const listConfigurationRevisions = ({ pageSize, pageToken }: { pageSize: number; pageToken: string }) => {
      sizes.push(pageSize);
      const newest = pageToken === '' ? 900 : Number(pageToken);
      const revisions = Array.from({ length: pageSize }, (_, i) => ({ revision: newest - i }));
      return { revisions, nextPageToken: String(newest - pageSize) };
    };
    const run = await callpass({ admin: { listConfigurationRevisions } }, [
      'config',
      'history',
      '--limit',
      '600',
    ]);
    expect(sizes).toEqual([500, 100]);
    expect(run.stdout.split('\n')).toHaveLength(601);
    expect(run.stderr).toContain('there are more');
  });
});

describe('callpass key', () => {
  const adding = (seen: AddRealmKeyRequest[], generatedKey = ''): Answers => ({
    admin: {
      addRealmKey: (request) => {
        seen.push(request);
        return { realmKey: { realm: request.realm, version: 2, state: KeyState.PENDING }, generatedKey };
      },
    },
  });

  it('adds a key from a file, without its line end, and never shows it', async () => {
    const seen: AddRealmKeyRequest[] = [];
    const path = file('key', 'canary-key-12345\n');
    const run = await callpass(adding(seen), ['key', 'add', 'r', '--key-file', path]);
    expect(seen).toMatchObject([{ realm: 'r', key: 'canary-key-12345' }]);
    expect(run).toEqual({ exitCode: 0, stdout: 'realm: r\nversion: 2\nstate: PENDING\n', stderr: '' });
  });

  it('shows a generated key once, with a note beside it', async () => {
    const seen: AddRealmKeyRequest[] = [];
    const run = await callpass(adding(seen, 'made-up'), ['key', 'add', 'r', '--generate', '--output=json']);
    expect(seen[0]?.key).toBeUndefined();
    expect(JSON.parse(run.stdout)).toMatchObject({ generatedKey: 'made-up' });
    expect(run.stderr).toContain('this once');
  });

  it('takes an empty file for a mistake, not for the wish to generate one', async () => {
    const seen: AddRealmKeyRequest[] = [];
    const run = await callpass(adding(seen), ['key', 'add', 'r', '--key-file', '-'], { stdin: '\n' });
    expect([run.exitCode, seen]).toEqual([2, []]);
  });

  it.each([
    ['activate', 'activateRealmKey'],
    ['retire', 'retireRealmKey'],
    ['destroy', 'destroyRealmKey'],
  ] as const)('%s takes the step of the same name', async (command, rpc) => {
    const step = (realmKey: { realm: string; version: number }) => ({ realmKey });
    const run = await callpass({ admin: { [rpc]: step } }, ['key', command, 'r', '2']);
    expect(run).toMatchObject({ exitCode: 0, stdout: expect.stringContaining('realm: r\nversion: 2\n') });
  });

  it('destroys by force with a reason, and not without one', async () => {
    const seen: DestroyRealmKeyRequest[] = [];
    const destroyRealmKey = (request: DestroyRealmKeyRequest) => {
      seen.push(request);
      return { realmKey: { realm: request.realm, version: request.version } };
    };
    const destroy = ['key', 'destroy', 'r', '2', '--force'];
    expect(await callpass({ admin: { destroyRealmKey } }, destroy)).toMatchObject({ exitCode: 2 });
    await callpass({ admin: { destroyRealmKey } }, [...destroy, '--reason', 'leaked']);
    expect(seen).toMatchObject([{ realm: 'r', version: 2, force: true, reason: 'leaked' }]);
  });

  it('lists keys as a table on a terminal and as rows in a pipe', async () => {
    const realmKey = { realm: 'r', version: 2, state: KeyState.ACTIVE, fingerprint: 'ff', createTime: TIME };
    const listRealmKeys = () => ({ realmKeys: [realmKey] });
    const piped = await callpass({ admin: { listRealmKeys } }, ['key', 'list']);
    expect(piped.stdout).toBe('r\t2\tACTIVE\tff\t2026-11-25T10:00:00Z\t\n');
    const shown = await callpass({ admin: { listRealmKeys } }, ['key', 'list'], {
      isTTY: true,
      noColor: true,
    });
    expect(shown.stdout).toMatch(/^REALM +VERSION +STATE.*\nr +2 +ACTIVE/);
  });
});

describe('callpass freeze', () => {
  it('freezes each kind of scope until a time', async () => {
    const seen: FreezeRequest[] = [];
    const admin: Answers['admin'] = {
      freeze: (request) => {
        seen.push(request);
        return { freeze: { scope: { scope: { case: 'realm', value: 'r' } }, reason: request.reason } };
      },
    };
    for (const scope of ['realm', 'destination', 'client', 'subject', 'subject-hash']) {
      const args = ['freeze', scope, 'x', '--reason', 'abuse', '--until', '2030-01-01T00:00:00.5+01:00'];
      expect(await callpass({ admin }, args)).toMatchObject({ exitCode: 0 });
    }
    expect(seen.map(({ scope }) => scope?.scope.case)).toEqual([
      'realm',
      'destination',
      'client',
      'subject',
      'subjectHash',
    ]);
    expect(seen[0]).toMatchObject({ reason: 'abuse', until: { seconds: 1893452400n, nanos: 500_000_000 } });
  });

  it('unfreezes what the list shows', async () => {
    const admin: Answers['admin'] = {
      listFreezes: () => ({
        freezes: [
          { scope: { scope: { case: 'subjectHash', value: 'ab12' } }, reason: 'abuse', frozenBy: 'ops' },
        ],
      }),
      unfreeze: ({ scope }) => {
        if (scope?.scope.value !== 'ab12') throw new RpcError(status.NOT_FOUND, 'other');
        return {};
      },
    };
    const listed = await callpass({ admin }, ['freezes']);
    const [scope = '', name = ''] = listed.stdout.split('\t');
    expect(await callpass({ admin }, ['unfreeze', scope, name])).toMatchObject({
      exitCode: 0,
      stdout: 'lifted\n',
    });
  });
});

describe('callpass health', () => {
  it('ends with 0 while the server and the service serve', async () => {
    const { address } = await serve({});
    const at = ['--address', address];
    expect(await runInProcess(['health', ...at])).toMatchObject({
      exitCode: 0,
      stdout: 'the server\tSERVING\ncallpass.v1.CredentialService\tSERVING\n',
    });
    const one = await runInProcess(['health', 'callpass.v1.CredentialService', '--output=json', ...at]);
    expect([one.exitCode, JSON.parse(one.stdout)]).toEqual([0, { status: 'SERVING' }]);
  });

  it('ends with 1 while the server drains, and for a service it does not know', async () => {
    const service = await serve({});
    service.health.setAll('NOT_SERVING');
    const at = ['--address', service.address];
    expect(await runInProcess(['health', ...at])).toMatchObject({ exitCode: 1 });
    expect(await runInProcess(['health', 'callpass.v1.CredentialService', ...at])).toMatchObject({
      exitCode: 1,
    });
    expect(await runInProcess(['health', 'nobody', ...at])).toMatchObject({ exitCode: 1 });
  });
});

describe('the bearer token', () => {
  it('comes from a file and is never shown', async () => {
    const seen: unknown[] = [];
    const credentials: Answers['credentials'] = {
      issueCredentials: (_request, call) => {
        seen.push(...call.metadata.get('authorization'));
        throw refusal(status.UNAUTHENTICATED, 'CLIENT_UNKNOWN');
      },
    };
    const path = file('token', 'canary-token\n');
    const run = await callpass({ credentials }, ['issue', 'support', '--token-file', path]);
    expect(seen).toEqual(['Bearer canary-token']);
    expect(run.stdout + run.stderr).not.toContain('canary');
  });
});

import { spawn, spawnSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { closeSync, constants, mkdtempSync, openSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Readable } from 'node:stream';
import { text } from 'node:stream/consumers';
import { setTimeout as pause } from 'node:timers/promises';
import { createCredentialClient } from '@callpass/client';
import { scriptOf, type ProgramName } from '@callpass/testkit/programs';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { keep } from './canary/keep.ts';
import { ended, ENVIRONMENT, run, startServerProcess, type ServerProcess } from './processes.ts';
import { provision } from './provision.ts';

const { O_RDONLY, O_WRONLY, O_NONBLOCK } = constants;

/** Fate of the answer: its reader has gone, or the disk is full. */
type Fate = 'gone' | 'full';

/** A command by its names, with arguments with which it answers, in an order in which each can do what it is asked for. */
interface Row {
  readonly command: string;
  readonly args?: readonly string[] | ((fate: Fate) => readonly string[]);
  /** Its exit code; left out, 0. */
  readonly code?: number;
}

interface Program {
  readonly name: ProgramName;
  readonly rows: readonly Row[];
  /** Commands that serve: their log is another matter. */
  readonly serves?: readonly string[];
  readonly everywhere?: readonly string[];
  environment(fate: Fate): NodeJS.ProcessEnv;
}

const folder = mkdtempSync(join(tmpdir(), 'callpass-lost-answer-'));
const file = (name: string) => join(folder, name);
const ownStore = (fate: Fate) => ({
  CALLPASS_STORE_URL: `sqlite:${file(`${fate}.db`)}`,
  CALLPASS_KEY_ENCRYPTION_KEY: KEY,
  CALLPASS_ACCESS_LOCAL: 'everything',
});
const KEY = randomBytes(32).toString('base64');

let server: ServerProcess;
let stopIssuing: () => Promise<void>;

const CLI: Program = {
  name: 'cli',
  // Then each command has an answer, be it a failure.
  everywhere: ['--output', 'json'],
  environment: () => ({ CALLPASS_ADDRESS: server.address }),
  rows: [
    { command: 'issue', args: ['d'] },
    { command: 'validate', args: ['AA', '--realm', 'r'], code: 1 },
    { command: 'explain', args: ['AA', '--realm', 'r'] },
    { command: 'config get' },
    { command: 'config apply', args: ['-f', file('document.yaml')] },
    { command: 'config history' },
    { command: 'config try', args: ['d'] },
    { command: 'config replay', args: ['-f', file('document.yaml')] },
    { command: 'key list' },
    { command: 'key plan', args: ['r'] },
    { command: 'key add', args: ['r', '--generate'] },
    { command: 'key activate', args: ['r', '2'] },
    // It is retired already, and one must stay active for the entries of the tail.
    { command: 'key retire', args: ['r', '1'], code: 1 },
    { command: 'key destroy', args: ['r', '1', '--force', '--reason', 'test'] },
    { command: 'freeze', args: ['destination', 'd', '--reason', 'test'] },
    { command: 'freezes' },
    { command: 'unfreeze', args: ['destination', 'd'] },
    { command: 'incident key', args: ['r', '1'] },
    { command: 'incident client', args: ['local'] },
    { command: 'incident subject', args: ['somebody'] },
    { command: 'incident subject-hash', args: ['0'.repeat(32)] },
    { command: 'ledger list' },
    { command: 'ledger tail' },
    { command: 'ledger verify' },
    { command: 'ledger anchor' },
    { command: 'ledger export', args: ['--out', file('export')] },
    { command: 'ledger remove', args: ['--before', '2020-01-01T00:00:00Z', '--yes'] },
    { command: 'top', args: ['--interval', '100ms'] },
    { command: 'health' },
    { command: 'doctor' },
    { command: 'dev-certs', args: ['--out', file('certificates'), '--force'] },
  ],
};

const SERVER: Program = {
  name: 'server',
  serves: ['serve'],
  environment: ownStore,
  rows: [
    { command: 'migrate', args: ['--create'] },
    { command: 'check-config' },
    { command: 'doctor' },
    { command: 'backup', args: (fate) => ['--to', file(`${fate}-backup.db`)] },
    { command: 'reseal', args: ['--new-key-file', file('key')] },
  ],
};

const EDGE: Program = {
  name: 'edge',
  serves: ['serve'],
  environment: () => ({ CALLPASS_EDGE_SERVICE_ADDRESS: server.address }),
  rows: [{ command: 'check-config' }, { command: 'doctor' }],
};

beforeAll(async () => {
  server = await startServerProcess();
  await provision(server.address);
  const document = await run('node', [scriptOf(CLI.name), 'config', 'get'], {
    env: CLI.environment('gone'),
  });
  writeFileSync(file('document.yaml'), document.stdout);
  writeFileSync(file('key'), randomBytes(32).toString('base64'), { mode: 0o600 });
  // So that a tail has entries to show.
  const client = createCredentialClient({ address: server.address, retry: false });
  const stopped = new AbortController();
  const issuing = (async () => {
    while (!stopped.signal.aborted) {
      await client.issueCredentials({ destination: 'd' }).catch(() => undefined);
      await pause(100);
    }
    client.close();
  })();
  stopIssuing = async () => {
    stopped.abort();
    await issuing;
  };
});
afterAll(async () => {
  await stopIssuing();
  await server.stop();
  rmSync(folder, { recursive: true });
});

/** Runs a command whose answer meets this fate. */
async function answered(fate: Fate, { name, everywhere = [], environment }: Program, row: Row) {
  const { command, args = [] } = row;
  const stdout = fate === 'full' ? openSync('/dev/full', O_WRONLY) : pipeWithoutReader();
  const given = typeof args === 'function' ? args(fate) : args;
  const child = spawn('node', [scriptOf(name), ...command.split(' '), ...given, ...everywhere], {
    stdio: ['ignore', stdout, 'pipe'],
    env: { ...ENVIRONMENT, ...environment(fate) },
  });
  closeSync(stdout);
  const [stderr, { code }] = await Promise.all([text(child.stderr as Readable), ended(child)]);
  keep('lost-answer.txt', Buffer.from(stderr));
  return { command, code, stderr };
}

/** A pipe whose reader has closed it. */
function pipeWithoutReader(): number {
  const pipe = file(randomBytes(8).toString('hex'));
  spawnSync('mkfifo', [pipe]);
  const reader = openSync(pipe, O_RDONLY | O_NONBLOCK);
  const writer = openSync(pipe, O_WRONLY);
  closeSync(reader);
  return writer;
}

/** Commands that the help of a program names and that have no row. */
async function commandsWithoutRow(program: Program, group: readonly string[] = []): Promise<string[]> {
  const { stdout } = await run('node', [scriptOf(program.name), ...group, '--help']);
  const listed = stdout.split(/^Commands:$/m)[1] ?? '';
  const names = [...listed.matchAll(/^ {2}([a-z][a-z-]*)/gm)].map(([, name = '']) => name);
  if (names.length === 0) return [group.join(' ')];
  const without: string[] = [];
  for (const name of names) {
    const command = [...group, name].join(' ');
    if (name === 'help' || program.serves?.includes(command)) continue;
    if (program.rows.some((row) => row.command === command)) continue;
    without.push(...(await commandsWithoutRow(program, [...group, name])));
  }
  return without;
}

describe.each([CLI, SERVER, EDGE])('$name: an answer that nobody takes', (program) => {
  it('is tested for every command that the help names', async () => {
    expect(await commandsWithoutRow(program)).toEqual([]);
  });

  it('is no fault of any command where the reader has closed the pipe: it ends as it would have, and quietly', async () => {
    for (const row of program.rows) {
      const outcome = await answered('gone', program, row);
      expect(outcome).toMatchObject({ command: row.command, code: row.code ?? 0 });
      expect(outcome.stderr).not.toMatch(/EPIPE|could not be written/);
    }
  });

  it('ends each command with 4 and a text where the disk is full', async () => {
    for (const row of program.rows)
      expect(await answered('full', program, row)).toEqual({
        command: row.command,
        code: 4,
        stderr: expect.stringContaining('standard output could not be written: ENOSPC'),
      });
  });
});

import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { create, toJsonString } from '@bufbuild/protobuf';
import type { LedgerEntry } from '@callpass/ledger';
import {
  LedgerAnchorSchema,
  LedgerEntry_Kind,
  type ListEntriesRequest,
  type RemoveEntriesRequest,
  type TailEntriesRequest,
  type VerifyLedgerRequest,
} from '@callpass/contract';
import { status } from '@grpc/grpc-js';
import { type Answers, type LocalService, refusal, startLocalService } from '../testing/local-service.ts';
import { chainsOf, madeUpEntries, wholeExport } from '@callpass/ledger/testing';
import { anchorOf, ledgerOf, messageOf } from '../testing/made-up-ledger.ts';
import { runInProcess, type RunOptions } from '../testing/run-in-process.ts';

const entries = madeUpEntries(5);

let folder: string;
let service: LocalService | undefined;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'callpass-ledger-'));
});
afterAll(() => {
  rmSync(folder, { recursive: true });
});
afterEach(() => {
  service?.stop();
  service = undefined;
});

/** Runs `callpass ledger …` against a ledger that answers so. */
async function ledger(answers: Answers['ledger'], args: string[], options: RunOptions = {}) {
  service?.stop();
  service = await startLocalService({ ledger: answers ?? {} });
  return runInProcess(['ledger', ...args, '--address', service.address], options);
}

/** Runs it where no service is. */
const offline = (args: string[], options: RunOptions = {}) =>
  runInProcess(['ledger', ...args, '--address', 'callpass.example:7443'], options);

function file(name: string, content: Uint8Array): string {
  const path = join(folder, name);
  writeFileSync(path, content);
  return path;
}

describe('callpass ledger list', () => {
  it('asks for what the options name', async () => {
    const seen: ListEntriesRequest[] = [];
    const listEntries = (request: ListEntriesRequest) => {
      seen.push(request);
      return {};
    };
    await ledger({ listEntries }, [
      'list',
      ...['--since', '2026-11-25T10:00:00Z', '--until', '2026-11-25T10:00:00.5Z'],
      ...['--destination', 'support', '--client', 'web-edge', '--kind', 'key-state-changed'],
      ...['--issuance-id', 'i-1', '--trace-id', 'abc', '--limit', '7'],
    ]);
    expect(seen).toMatchObject([
      {
        startTime: { seconds: BigInt(Date.parse('2026-11-25T10:00:00Z') / 1000), nanos: 0 },
        endTime: { nanos: 500_000_000 },
        destination: 'support',
        client: 'web-edge',
        kind: LedgerEntry_Kind.KEY_STATE_CHANGED,
        issuanceId: 'i-1',
        traceId: 'abc',
        pageSize: 7,
      },
    ]);
  });

  it('knows every kind of the contract', async () => {
    const seen: LedgerEntry_Kind[] = [];
    const listEntries = ({ kind }: ListEntriesRequest) => {
      seen.push(kind);
      return {};
    };
    const names = Object.keys(LedgerEntry_Kind).slice(1);
    for (const name of names) {
      const kind = name.toLowerCase().replaceAll('_', '-');
      expect(await ledger({ listEntries }, ['list', '--kind', kind])).toMatchObject({ exitCode: 0 });
    }
    expect(seen).toEqual(names.map((name) => LedgerEntry_Kind[name as keyof typeof LedgerEntry_Kind]));
  });

  it('collects pages up to the limit and says that there are more', async () => {
    const sizes: number[] = [];
    const many = madeUpEntries(2);
    const listEntries = ({ pageSize, pageToken }: ListEntriesRequest) => {
      sizes.push(pageSize);
      const page = Array.from({ length: pageSize }, (_, i) => many[i % 2]).flatMap((entry) => entry ?? []);
      return { entries: page.map(messageOf), nextPageToken: `${pageToken}x` };
    };
    const run = await ledger({ listEntries }, ['list', '--limit', '2500', '--output=json']);
    expect(sizes).toEqual([1000, 1000, 500]);
    expect(JSON.parse(run.stdout).entries).toHaveLength(2500);
    expect(run.stderr).toContain('there are more');
  });

  it('writes rows into a pipe, with what cannot be seen in them escaped', async () => {
    const [entry] = entries;
    if (!entry) throw new Error('no entry');
    const evil = { ...messageOf(entry), client: 'ops\u001b[2J\t' };
    const run = await ledger({ listEntries: () => ({ entries: [evil] }) }, ['list']);
    expect(run.stdout).toBe(
      [
        '2026-11-25T10:00:00Z',
        'ISSUED',
        'ops\\u001b[2J\\u0009',
        'support',
        'support.example',
        '3',
        'support@kandy.example',
        '',
        '',
        '01990f7e-5c00-7000-8000-000000000000',
        '0af7651916cd43dd8448eb211c80319c',
        'writer-a',
        '1\n',
      ].join('\t'),
    );
  });
});

describe('callpass ledger tail', () => {
  it('writes each entry as one line of JSON when it comes, until Ctrl-C, and then ends with 0', async () => {
    const interrupt = new AbortController();
    const seen: TailEntriesRequest[] = [];
    const tailEntries = async function* (request: TailEntriesRequest, call: { signal: AbortSignal }) {
      seen.push(request);
      const gone = new Promise((resolve) => call.signal.addEventListener('abort', resolve));
      for (const entry of entries) yield { entry: messageOf(entry) };
      await gone;
    };
    const args = ['tail', '--destination', 'support', '--client', 'c', '--output=json'];
    const run = await ledger({ tailEntries }, args, {
      interrupted: interrupt.signal,
      onStdout: (stdout) => stdout.split('\n').length > entries.length && interrupt.abort(),
    });
    expect(run).toMatchObject({ exitCode: 0, stderr: '' });
    const lines = run.stdout.trimEnd().split('\n');
    expect(lines.map((line) => JSON.parse(line).sequence)).toEqual(['1', '1', '2', '2', '3']);
    expect(seen).toMatchObject([{ destination: 'support', client: 'c' }]);
  });

  it('ends with 3 when the service ends the stream, so that nobody thinks nothing happens', async () => {
    const tailEntries = async function* () {
      for (const entry of entries.slice(0, 1)) yield { entry: messageOf(entry) };
    };
    const run = await ledger({ tailEntries }, ['tail']);
    expect(run.exitCode).toBe(3);
    expect(run.stdout).toContain('support@kandy.example');
    expect(run.stderr).toContain('has ended the stream');
  });

  it('ends with 1 when it is refused', async () => {
    // eslint-disable-next-line require-yield
    const tailEntries = async function* () {
      throw refusal(status.PERMISSION_DENIED, 'CLIENT_NOT_GRANTED');
    };
    const run = await ledger({ tailEntries }, ['tail']);
    expect(run.exitCode).toBe(1);
    expect(run.stderr).toContain('CLIENT_NOT_GRANTED');
  });
});

describe('callpass ledger verify', () => {
  it('ends with 0 and shows the ends of the chains when they are intact', async () => {
    const seen: VerifyLedgerRequest[] = [];
    const { verifyLedger } = ledgerOf(entries);
    const answers: Answers['ledger'] = {
      verifyLedger(request, call) {
        seen.push(request);
        return verifyLedger(request, call);
      },
    };
    const args = ['verify', '--writer', 'writer-a', '--first', '2', '--last', '9'];
    const run = await ledger(answers, args);
    expect(run.exitCode).toBe(0);
    expect(run.stdout).toBe(
      `intact, 5 entries\n${chainsOf(entries)
        .map((chain) => `${chain.writerId}\t1\t${chain.lastSequence}\t${chain.lastHash}\n`)
        .join('')}`,
    );
    expect(seen).toMatchObject([{ writerId: 'writer-a', firstSequence: 2n, lastSequence: 9n }]);
  });

  it('ends with 1 and names chain and place of each fault', async () => {
    const verifyLedger = () => ({
      intact: false,
      entryCount: 9n,
      faults: [{ writerId: 'w-1', sequence: 10n, text: 'was altered' }],
    });
    const run = await ledger({ verifyLedger }, ['verify']);
    expect(run).toEqual({
      exitCode: 1,
      stdout: 'NOT INTACT, 9 entries\nchain w-1, entry 10: was altered\n',
      stderr: '',
    });
  });

  it('ends with 1 where the chain that was named does not exist, since nothing of it was verified', async () => {
    const run = await ledger({ verifyLedger: () => ({ intact: true }) }, ['verify', '--writer', 'nobody']);
    expect(run).toEqual({ exitCode: 1, stdout: '', stderr: 'callpass: there is no chain nobody\n' });
  });

  it('says what no verification from inside can find', async () => {
    const run = await ledger(ledgerOf(entries), ['verify']);
    expect(run.stderr).toContain('compare with an anchor');
  });

  it('calls an export that is verified by itself self-consistent, since all of it may be made up', async () => {
    const path = file('good.jsonl', wholeExport(entries));
    const run = await offline(['verify', '--file', path, '--output=json']);
    expect(run).toMatchObject({ exitCode: 0, stderr: expect.stringContaining('--anchor FILE') });
    expect(JSON.parse(run.stdout)).toMatchObject({
      intact: false,
      selfConsistent: true,
      entryCount: '5',
      provenEntryCount: '0',
      faults: [],
    });
    const piped = await offline(['verify', '--file', '-'], { stdin: wholeExport(entries) });
    expect(piped).toMatchObject({
      exitCode: 0,
      stdout: expect.stringMatching(/^self-consistent, 5 entries/),
    });
  });

  const anchorFile = (name: string, of: readonly LedgerEntry[]) =>
    file(name, Buffer.from(toJsonString(LedgerAnchorSchema, create(LedgerAnchorSchema, anchorOf(of)))));

  it('calls an export intact as far as an anchor vouches for it', async () => {
    const path = file('grown.jsonl', wholeExport(entries));
    const all = await offline(['verify', '-f', path, '--anchor', anchorFile('all.json', entries)]);
    expect(all).toMatchObject({
      exitCode: 0,
      stderr: '',
      stdout: expect.stringMatching(/^intact, 5 entries/),
    });
    const args = ['verify', '-f', path, '--output=json', '--anchor'];
    const part = await offline([...args, anchorFile('part.json', entries.slice(0, 3))]);
    expect(JSON.parse(part.stdout)).toMatchObject({
      intact: false,
      selfConsistent: true,
      provenEntryCount: '3',
    });
  });

  it('finds an export whose entries were changed and linked anew, header and digest remade', async () => {
    const anchor = anchorFile('before.json', entries);
    const remade = file('remade.jsonl', wholeExport(madeUpEntries(5, 2, 'other@kandy.example')));
    const run = await offline(['verify', '-f', remade, '--anchor', anchor]);
    expect(run).toMatchObject({
      exitCode: 1,
      stdout: expect.stringMatching(/^NOT INTACT.*another one than/s),
    });
    const cut = file('cut.jsonl', wholeExport(entries.slice(0, 2)));
    expect(await offline(['verify', '-f', cut, '--anchor', anchor])).toMatchObject({ exitCode: 1 });
  });

  it('has the service prove an export, and hands it an anchor to compare its own ledger with', async () => {
    const asked: VerifyLedgerRequest[] = [];
    const proving = (faults: { writerId: string; sequence: bigint; text: string }[]): Answers['ledger'] => ({
      verifyLedger(request) {
        asked.push(request);
        return { intact: faults.length === 0, entryCount: 5n, faults };
      },
    });
    const path = file('proved.jsonl', wholeExport(entries));
    const proved = await ledger(proving([]), ['verify', '-f', path, '--service']);
    expect(proved).toMatchObject({ exitCode: 0, stdout: expect.stringMatching(/^intact, 5 entries/) });
    const forged = [{ writerId: '', sequence: 0n, text: 'the anchor was altered' }];
    const refused = await ledger(proving(forged), ['verify', '-f', path, '--service']);
    expect(refused).toMatchObject({ exitCode: 1, stdout: expect.stringMatching(/^NOT INTACT/) });
    const compared = await ledger(proving([]), ['verify', '--anchor', anchorFile('own.json', entries)]);
    expect(compared).toMatchObject({ exitCode: 0, stderr: '' });
    expect(asked.map(({ anchor }) => anchor?.chains.length)).toEqual([2, 2, 2]);
  });

  it('prints an anchor on one line, which verify reads again', async () => {
    const printed = await ledger({ getAnchor: () => ({ anchor: anchorOf(entries) }) }, ['anchor']);
    expect(printed.stdout.trimEnd().split('\n')).toHaveLength(1);
    const anchor = file('printed.json', Buffer.from(printed.stdout));
    const path = file('whole.jsonl', wholeExport(entries));
    expect(await offline(['verify', '-f', path, '--anchor', anchor])).toMatchObject({ exitCode: 0 });
    const none = file('none.json', Buffer.from('{}'));
    expect(await offline(['verify', '-f', path, '--anchor', none])).toMatchObject({ exitCode: 2 });
  });

  it('ends with 1 and names line, chain and place of a fault in an export', async () => {
    const altered = wholeExport(entries).toString().replace('zu viele', 'so viele');
    const path = file('bad.jsonl', Buffer.from(altered));
    const run = await offline(['verify', '--file', path]);
    expect(run).toEqual({
      exitCode: 1,
      stdout: `NOT INTACT, 2 entries\n${path}:4: chain writer-a, entry 2: was altered\n`,
      stderr: '',
    });
    const json = await offline(['verify', '--file', path, '--output=json']);
    expect(JSON.parse(json.stdout)).toMatchObject({
      intact: false,
      faults: [{ line: 4, writerId: 'writer-a', sequence: '2', text: 'was altered' }],
    });
  });

  it('takes a file that is not there, and options that a file has no use for, as wrong use', async () => {
    const missing = await offline(['verify', '--file', join(folder, 'none')]);
    expect(missing).toMatchObject({ exitCode: 2, stderr: expect.stringContaining('there is no such file') });
    expect(await offline(['verify', '--file', folder])).toMatchObject({ exitCode: 2 });
    expect(await offline(['verify', '--file', 'x', '--writer', 'w'])).toMatchObject({ exitCode: 2 });
  });
});

describe('callpass ledger export', () => {
  it('writes a file of its owner only that verifies by itself, and says how far it is on a terminal', async () => {
    const many = madeUpEntries(2500);
    const out = join(folder, 'many.jsonl');
    const run = await ledger(ledgerOf(many), ['export', '-o', out], { isTTY: true, noColor: true });
    expect(run).toMatchObject({ exitCode: 0, stdout: expect.stringContaining('entries: 2500') });
    expect(run.stderr).toContain('\r1000 of 2500 entries\u001b[K');
    expect(statSync(out).mode & 0o777).toBe(0o600);
    expect(await offline(['verify', '-f', out])).toMatchObject({
      exitCode: 0,
      stdout: expect.stringContaining('self-consistent, 2500 entries'),
    });
  });

  it('takes entries of a service that does not send versions as of version 1', async () => {
    const first = madeUpEntries(5, 1);
    const older: Answers['ledger'] = {
      ...ledgerOf(first),
      listEntries: () => ({ entries: first.map((entry) => ({ ...messageOf(entry), version: 0 })) }),
    };
    const out = join(folder, 'older.jsonl');
    expect(await ledger(older, ['export', '-o', out])).toMatchObject({ exitCode: 0 });
    expect(readFileSync(out, 'utf8')).toContain('"sequence":1,"version":1,');
    expect(await offline(['verify', '-f', out])).toMatchObject({ exitCode: 0 });
  });

  it('leaves out what was written after it began, and begins at the anchor of a shortened chain', async () => {
    const kept = madeUpEntries(20).filter(({ sequence }) => sequence >= 4);
    const chains = chainsOf(madeUpEntries(12), 4);
    const out = join(folder, 'part.jsonl');
    const run = await ledger(ledgerOf(kept, chains), ['export', '-o', out, '--output=json']);
    expect(JSON.parse(run.stdout)).toMatchObject({ entryCount: 6, chains, file: out });
    expect(run.stderr).toBe('');
    expect(await offline(['verify', '-f', out])).toMatchObject({ exitCode: 0 });
  });

  it('leaves no file, nor a part of one, when anything goes wrong', async () => {
    const out = join(folder, 'never.jsonl');
    const before = readdirSync(folder);
    const broken = ledgerOf(entries);
    const cases: [Answers['ledger'], string][] = [
      [
        {
          ...broken,
          verifyLedger: () => ({
            intact: false,
            faults: [{ writerId: 'w', sequence: 3n, text: 'was altered' }],
          }),
        },
        'the ledger is not intact: chain w, entry 3 was altered',
      ],
      [ledgerOf(entries.toSpliced(2, 1), chainsOf(entries)), 'chain writer-a, entry 2: entry 2 is missing'],
      [ledgerOf(entries.slice(0, 4), chainsOf(entries)), 'chain writer-a, entry 3: is missing'],
      [
        {
          ...broken,
          listEntries: () => {
            throw refusal(status.UNAVAILABLE, 'STORE_UNAVAILABLE');
          },
        },
        'STORE_UNAVAILABLE',
      ],
    ];
    for (const [answers, text] of cases) {
      const run = await ledger(answers, ['export', '-o', out]);
      expect(run).toMatchObject({ exitCode: 1, stdout: '', stderr: expect.stringContaining(text) });
    }
    expect(readdirSync(folder)).toEqual(before);
  });

  it('leaves the former file as it was when it is interrupted', async () => {
    const out = file('former.jsonl', Buffer.from('former'));
    const interrupt = new AbortController();
    const broken: Answers['ledger'] = {
      ...ledgerOf(entries),
      async listEntries(_request, call) {
        interrupt.abort();
        await new Promise((resolve) => call.signal.addEventListener('abort', resolve));
        return {};
      },
    };
    const run = await ledger(broken, ['export', '-o', out], { interrupted: interrupt.signal });
    expect(run.exitCode).toBe(1);
    expect(readFileSync(out, 'utf8')).toBe('former');
    expect(readdirSync(folder).filter((name) => name.endsWith('.part'))).toEqual([]);
  });

  it('takes a place that cannot be written to as wrong use, before it asks for anything', async () => {
    expect(await offline(['export', '-o', '-', '--tls'])).toMatchObject({ exitCode: 2 });
    const run = await ledger({}, ['export', '-o', join(folder, 'no', 'folder')]);
    expect(run).toMatchObject({ exitCode: 2, stderr: expect.stringContaining('there is no such file') });
  });
});

describe('callpass ledger remove', () => {
  it('removes only with --yes', async () => {
    const seen: RemoveEntriesRequest[] = [];
    const removeEntries = (request: RemoveEntriesRequest) => {
      seen.push(request);
      return { entryCount: 12n };
    };
    const args = ['remove', '--before', '2026-01-01T00:00:00Z'];
    const asked = await ledger({ removeEntries }, args);
    expect(asked).toMatchObject({ exitCode: 2, stderr: expect.stringContaining('--yes') });
    expect(seen).toEqual([]);
    const run = await ledger({ removeEntries }, [...args, '--yes']);
    expect(run).toMatchObject({ exitCode: 0, stdout: '12 entries are removed\n' });
    expect(seen).toMatchObject([{ beforeTime: { seconds: 1_767_225_600n } }]);
  });
});

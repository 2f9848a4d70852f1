import { spawnSync } from 'node:child_process';
import { beforeAll, describe, expect, it } from '@jest/globals';

/** A program that serves, and whose libraries do all that libraries do. */
const PROGRAM = `
  import { openProcessLog } from ${JSON.stringify(new URL('process-log.ts', import.meta.url).href)};
  const log = openProcessLog({ level: 'info' });
  log.info('serving');
  for (let line = 0; line < 3; line++) console.log('a library says\\nthis');
  console.error('and that');
  process.stderr.write(Buffer.from('bytes'), () => log.info('taken'));
  process.emitWarning('old thing', { type: 'DeprecationWarning', code: 'DEP0999' });
  setTimeout(() => void Promise.reject(new TypeError('boom')), 50);
`;

interface Line {
  readonly level: string;
  readonly msg: string;
  readonly [field: string]: unknown;
}

describe('a process that serves', () => {
  let lines: readonly Line[];
  let outcome: ReturnType<typeof spawnSync>;
  const said = (msg: string) => lines.find((line) => line.msg === msg);
  beforeAll(() => {
    const { PATH, NODE_COMPILE_CACHE } = process.env;
    outcome = spawnSync(
      process.execPath,
      ['--conditions=@callpass/source', '--input-type=module', '--eval', PROGRAM],
      { encoding: 'utf8', env: { PATH, NODE_COMPILE_CACHE } },
    );
    lines = String(outcome.stderr)
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line) as Line);
  });

  it('writes nothing that is not a JSON line with its level as a word', () => {
    expect(outcome.stdout).toBe('');
    expect(lines[0]).toMatchObject({ level: 'info', msg: 'serving', time: expect.stringMatching(/Z$/) });
    expect(new Set(lines.map(({ level }) => level))).toEqual(new Set(['info', 'warn', 'fatal']));
  });

  it('has lines for what libraries write, and those who wait for their write go on', () => {
    expect(lines).toContainEqual(
      expect.objectContaining({ level: 'warn', stream: 'stdout', text: 'a library says\nthis' }),
    );
    expect(lines).toContainEqual(
      expect.objectContaining({ level: 'warn', stream: 'stderr', text: 'and that' }),
    );
    expect(said('taken')).toBeDefined();
  });

  it('has a line at its end for output that was only counted so far', () => {
    const counts = lines.filter(({ stream }) => stream === 'stdout').map(({ count }) => count);
    expect(counts).toEqual([1, 2]);
  });

  it('has a line for what Node warns of', () => {
    expect(said('old thing')).toMatchObject({ level: 'warn', type: 'DeprecationWarning', code: 'DEP0999' });
  });

  it('ends with a line and code 1 when nobody has caught an error', () => {
    expect(outcome.status).toBe(1);
    expect(lines.at(-1)).toMatchObject({
      level: 'fatal',
      origin: 'unhandledRejection',
      error: { type: 'TypeError', message: 'boom', stack: expect.any(String) },
    });
  });
});

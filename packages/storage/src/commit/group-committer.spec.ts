import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { StoreError } from '@callpass/domain';
import { GroupCommitter, type CommitEvent, type GroupCommitterOptions } from './group-committer.ts';

interface RunningCommit {
  readonly items: readonly string[];
  readonly remainingMs: number;
  succeed(): void;
  fail(cause?: unknown): void;
}

describe('GroupCommitter', () => {
  let commits: RunningCommit[];
  let events: CommitEvent[];
  let options: GroupCommitterOptions<string, string>;
  let committer: GroupCommitter<string, string>;

  beforeEach(() => {
    jest.useFakeTimers();
    commits = [];
    events = [];
    options = {
      commit: (items, remainingMs) =>
        new Promise((resolve, reject) => {
          commits.push({
            items,
            remainingMs,
            succeed: () => resolve(items.map((item) => `done ${item}`)),
            fail: (cause = new Error('no disk')) => reject(cause),
          });
        }),
      limitMs: 1_000,
      maxQueued: 5,
      maxBatch: 3,
      onEvent: (event) => events.push(event),
    };
    committer = new GroupCommitter(options);
  });

  afterEach(() => {
    jest.useRealTimers();
  });

  const turn = () => jest.advanceTimersByTimeAsync(0);

  it('does not wait for the end of a burst: enough for a commit is committed while the rest still comes', async () => {
    const eager = new GroupCommitter<string, string>({
      commit: (items) => {
        commits.push({ items, remainingMs: 0, succeed: () => undefined, fail: () => undefined });
        return new Promise(() => undefined);
      },
      limitMs: 1_000,
      maxQueued: 1_000,
      maxBatch: 512,
      onEvent: () => undefined,
    });
    const add = (count: number) => {
      for (let added = 0; added < count; added++) void eager.add(`item ${added}`).catch(() => undefined);
    };
    const sizes = () => commits.map(({ items }) => items.length);
    add(100);
    expect(sizes()).toEqual([48]);
    // The more are under way, the more it takes, so that a slow disk is not asked for many small ones.
    add(500);
    expect(sizes()).toEqual([48, 96, 192]);
    await turn();
    expect(sizes()).toEqual([48, 96, 192]);
    add(120);
    expect(sizes()).toEqual([48, 96, 192, 384]);
    add(1000);
    expect(sizes()).toHaveLength(4);
  });

  it('takes what comes at once into one commit, and what comes meanwhile into the next', async () => {
    const first = [committer.add('a'), committer.add('b')];
    await turn();
    const second = [committer.add('c'), committer.add('d')];
    await turn();
    expect(commits.map((commit) => commit.items)).toEqual([['a', 'b']]);
    commits[0]?.succeed();
    expect(await Promise.all(first)).toEqual(['done a', 'done b']);
    await turn();
    expect(commits.map((commit) => commit.items)).toEqual([
      ['a', 'b'],
      ['c', 'd'],
    ]);
    commits[1]?.succeed();
    expect(await Promise.all(second)).toEqual(['done c', 'done d']);
    expect(events.map((event) => event.kind)).toEqual(['committed', 'committed']);
  });

  it('never puts more into a commit than the batch may hold, and keeps the order', async () => {
    const all = Promise.all(['a', 'b', 'c', 'd', 'e'].map((item) => committer.add(item)));
    await turn();
    commits[0]?.succeed();
    await turn();
    commits[1]?.succeed();
    await all;
    expect(commits.map((commit) => commit.items)).toEqual([
      ['a', 'b', 'c'],
      ['d', 'e'],
    ]);
  });

  it('refuses at once when the queue is full', async () => {
    const waiting = ['a', 'b', 'c', 'd', 'e'].map((item) => committer.add(item));
    await expect(committer.add('one too many')).rejects.toMatchObject({ code: 'LEDGER_UNAVAILABLE' });
    expect(events).toEqual([{ kind: 'refused', why: 'full' }]);
    await turn();
    commits[0]?.succeed();
    await turn();
    commits[1]?.succeed();
    await expect(Promise.all(waiting)).resolves.toHaveLength(5);
  });

  it('gives a failed commit to its callers alone and goes on', async () => {
    const failing = committer.add('a');
    const refused = expect(failing).rejects.toMatchObject({ code: 'LEDGER_UNAVAILABLE' });
    await turn();
    const next = committer.add('b');
    commits[0]?.fail();
    await refused;
    await turn();
    commits[1]?.succeed();
    expect(await next).toBe('done b');
    expect(events.map((event) => event.kind)).toEqual(['commitFailed', 'committed']);
  });

  it.each([
    ['STORE_UNAVAILABLE', 'LEDGER_UNAVAILABLE'],
    ['SEAL_KEY_WRONG', 'SEAL_KEY_WRONG'],
  ] as const)('tells callers of a commit that failed with %s that it is %s', async (code, told) => {
    const refused = expect(committer.add('a')).rejects.toMatchObject({ code: told });
    await turn();
    commits[0]?.fail(new StoreError(code, 'gone'));
    await refused;
  });

  it('refuses all who wait once a commit is overdue, and everybody else at once until it has settled', async () => {
    const stuck = expect(committer.add('a')).rejects.toMatchObject({ code: 'LEDGER_UNAVAILABLE' });
    await turn();
    await jest.advanceTimersByTimeAsync(900);
    const behind = expect(committer.add('b')).rejects.toMatchObject({ code: 'LEDGER_UNAVAILABLE' });
    await jest.advanceTimersByTimeAsync(100);
    await Promise.all([stuck, behind]);
    await expect(committer.add('c')).rejects.toMatchObject({ code: 'LEDGER_UNAVAILABLE' });
    expect(events).toEqual([{ kind: 'refused', why: 'overdue' }]);

    commits[0]?.succeed();
    await turn();
    const later = committer.add('d');
    await turn();
    commits[1]?.succeed();
    expect(await later).toBe('done d');
    expect(commits.map((commit) => commit.items)).toEqual([['a'], ['d']]);
  });

  it('asks a database that is silent with one item at a time, and refuses all others at once until it answers', async () => {
    const isUnavailable = { code: 'LEDGER_UNAVAILABLE' };
    const first = expect(committer.add('a')).rejects.toMatchObject(isUnavailable);
    await jest.advanceTimersByTimeAsync(1_000);
    await first;
    for (const probe of ['b', 'c']) {
      commits.at(-1)?.fail();
      await turn();
      const asking = expect(committer.add(probe)).rejects.toMatchObject(isUnavailable);
      await expect(committer.add('another')).rejects.toMatchObject(isUnavailable);
      await jest.advanceTimersByTimeAsync(999);
      await expect(committer.add('another')).rejects.toMatchObject(isUnavailable);
      await jest.advanceTimersByTimeAsync(1);
      await asking;
    }
    commits.at(-1)?.fail();
    await turn();
    const last = committer.add('d');
    await turn();
    commits.at(-1)?.succeed();
    expect(await last).toBe('done d');
    const both = Promise.all([committer.add('e'), committer.add('f')]);
    await turn();
    commits.at(-1)?.succeed();
    expect(await both).toEqual(['done e', 'done f']);
    expect(commits.map(({ items }) => items)).toEqual([['a'], ['b'], ['c'], ['d'], ['e', 'f']]);
  });

  it('refuses all that is under way once the oldest commit is overdue, until the last of them has settled', async () => {
    const busy = new GroupCommitter<string, string>({ ...options, maxQueued: 200, maxBatch: 512 });
    const outcomes = Array.from({ length: 150 }, (_, count) => busy.add(`item ${count}`).catch(String));
    expect(commits.map(({ items }) => items.length)).toEqual([48, 96]);
    await jest.advanceTimersByTimeAsync(1_000);
    expect(new Set(await Promise.all(outcomes))).toEqual(new Set(['StoreError: the commit is overdue']));
    commits[0]?.succeed();
    await turn();
    await expect(busy.add('between')).rejects.toMatchObject({ code: 'LEDGER_UNAVAILABLE' });
    commits[1]?.fail();
    await turn();
    const later = busy.add('later');
    await turn();
    commits[2]?.succeed();
    expect(await later).toBe('done later');
  });

  it('gives each of several commits under way its own outcome', async () => {
    const busy = new GroupCommitter<string, string>({ ...options, maxQueued: 200, maxBatch: 512 });
    const outcomes = Array.from({ length: 150 }, (_, count) =>
      busy.add(`item ${count}`).catch(() => 'refused'),
    );
    const closed = busy.close();
    commits[0]?.fail();
    await turn();
    commits[1]?.succeed();
    await turn();
    commits[2]?.succeed();
    const told = await Promise.all(outcomes);
    expect(told.slice(0, 48)).toEqual(Array(48).fill('refused'));
    expect(told.slice(48)).toEqual(Array.from({ length: 102 }, (_, count) => `done item ${48 + count}`));
    await closed;
    expect(busy.waiting).toBe(0);
  });

  it('tells of a commit what it took by itself, not what it waited for those before it', async () => {
    const told: number[] = [];
    const busy = new GroupCommitter<string, string>({
      ...{ ...options, maxQueued: 200, maxBatch: 512 },
      onSettled: (_, { startedAtMs, durationMs }) => told.push(startedAtMs, durationMs),
    });
    const beganMs = performance.now();
    const all = Array.from({ length: 144 }, (_, count) => busy.add(`item ${count}`));
    for (const commit of [0, 1]) {
      await jest.advanceTimersByTimeAsync(200);
      commits[commit]?.succeed();
      await turn();
    }
    await Promise.all(all);
    expect(told).toEqual([beganMs, 200, beganMs + 200, 200].map((ms) => expect.closeTo(ms, 3)));
    expect(events.map((event) => 'durationMs' in event && Math.round(event.durationMs))).toEqual([200, 200]);
  });

  it('tells a commit how long its oldest caller still waits', async () => {
    const all = [committer.add('a')];
    await turn();
    all.push(committer.add('b'));
    await jest.advanceTimersByTimeAsync(300);
    commits[0]?.succeed();
    await turn();
    expect(commits[1]?.remainingMs).toBeCloseTo(700, -1);
    commits[1]?.succeed();
    await Promise.all(all);
  });

  it('gives a commit no longer than the oldest one under way, since its callers are refused with those', async () => {
    const busy = new GroupCommitter<string, string>({ ...options, maxQueued: 200, maxBatch: 512 });
    const add = (count: number) =>
      Array.from({ length: count }, (_, added) => busy.add(`item ${added}`).catch(() => undefined));
    const first = add(48);
    await jest.advanceTimersByTimeAsync(600);
    const second = add(96);
    expect(commits[1]?.remainingMs).toBeCloseTo(400, -1);
    for (const commit of commits) commit.succeed();
    await Promise.all([...first, ...second]);
  });

  it('closes when everything it took is settled, and takes nothing more', async () => {
    const accepted = committer.add('a');
    const closed = committer.close();
    await expect(committer.add('b')).rejects.toMatchObject({ code: 'LEDGER_UNAVAILABLE' });
    await turn();
    commits[0]?.succeed();
    await expect(accepted).resolves.toBe('done a');
    await expect(closed).resolves.toBeUndefined();
    expect(jest.getTimerCount()).toBe(0);
  });
});

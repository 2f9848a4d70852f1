import { setTimeout as pause } from 'node:timers/promises';
import { CallpassError, createCredentialClient, type CredentialClient } from '@callpass/client';
import { afterAll, beforeAll, expect, it } from '@jest/globals';
import { inFull } from './full.ts';
import { startLoadGenerator, type LoadGenerator, type OpenLoopResult } from './load-generator.ts';
import { watchMemory } from './peers/memory.ts';
import { startServerProcess, type ServerProcess } from './processes.ts';
import { provision } from './provision.ts';

const OVERLOAD_MS = inFull(60_000, 24_000);
/** Grants are promised within this, 99 of 100: the objective of deploy/prometheus/rules.yaml. */
const OBJECTIVE_MS = 100;
const WARM_UP = { durationMs: 10_000, rate: 2000 } as const;
const FIRST_RATE = 500;
const MAX_RATE = 50_000;
const STEP = 1.3;
const STEP_MS = 2000;
const CALM_MS = 6000;
const RECOVERY_MS = 5000;
const ATTEMPTS = 3;
const LIMIT_MS = 600_000;
/** By how much memory may grow once it is warm, in MiB. */
const FLAT_MIB = 64;

let server: ServerProcess;
let load: LoadGenerator;
let client: CredentialClient;
beforeAll(async () => {
  server = await startServerProcess({ CALLPASS_LOG_LEVEL: 'warn' });
  await provision(server.address);
  load = startLoadGenerator(server.address, 'd');
  client = createCredentialClient({ address: server.address, retry: false });
}, LIMIT_MS);
afterAll(async () => {
  client.close();
  await load.stop();
  await server.stop();
});

const median = (values: readonly number[]) => values.toSorted((a, b) => a - b)[values.length >> 1] ?? NaN;

/** Looks at the server from outside until `over` has ended: the most memory of each half second in MiB, and what a client of ours is told. */
async function watch(over: Promise<unknown>) {
  const memory: number[] = [];
  const watched = watchMemory(server.child.pid as number);
  const answers = {
    granted: 0,
    refusals: [] as { reason: string | undefined; retryAfterMs: number | undefined }[],
  };
  let going = true;
  void over.finally(() => (going = false));
  for (let turn = 0; going; turn++) {
    if (turn % 5 === 0) memory.push(watched.peak());
    await client.issueCredentials({ destination: 'd' }).then(
      () => answers.granted++,
      (error: unknown) => {
        if (!(error instanceof CallpassError)) throw error;
        answers.refusals.push({ reason: error.reason, retryAfterMs: error.retryAfterMs });
      },
    );
    await pause(100);
  }
  watched.stop();
  return { memory, answers };
}

/** The highest rate at which everything is granted within the objective. */
async function findCapacity(): Promise<number> {
  if (!(await isWithinCapacity(FIRST_RATE))) throw new Error('each rate is too much');
  for (let capacity = FIRST_RATE; capacity <= MAX_RATE; capacity *= STEP) {
    if (!(await isWithinCapacity(capacity * STEP))) return capacity;
  }
  throw new Error('no rate is too much');
}

/** Tried a few times: a pause of the machine that takes 1 % of a step is longer than the objective by itself. */
async function isWithinCapacity(rate: number): Promise<boolean> {
  for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
    const { accepted, refused } = await load.atRate(rate, STEP_MS);
    if (refused.count === 0 && (accepted.p99 ?? Infinity) < OBJECTIVE_MS) return true;
  }
  return false;
}

const told = (name: string, { accepted, refused, expired, seconds }: OpenLoopResult) =>
  `${name}: ${Math.round(accepted.count / seconds)}/s granted, p99 ${accepted.p99?.toFixed(1)} ms; ` +
  `${refused.count} refused; ${expired} without an answer`;

async function measure(capacity: number) {
  // What was too much just now is to be over first.
  await load.atRate(capacity / 2, RECOVERY_MS);
  const before = await load.atRate(capacity / 2, CALM_MS);
  const running = load.atRate(3 * capacity, OVERLOAD_MS);
  const [over, seen] = await Promise.all([running, watch(running)]);
  const recovering = await load.atRate(capacity / 2, RECOVERY_MS);
  const after = await load.atRate(capacity / 2, CALM_MS);
  console.log(
    [
      `capacity: ${Math.round(capacity)}/s`,
      told('half of it', before),
      told('three times', over),
      told('the 5 s after', recovering),
      told('half of it again', after),
      `memory: ${seen.memory.map(Math.round).join(' ')} MiB`,
      `a client of ours: ${seen.answers.granted} granted, ${seen.answers.refusals.length} refused`,
    ].join('\n'),
  );
  const calmP99 = Math.max(before.accepted.p99 ?? 0, after.accepted.p99 ?? 0);
  // Collections of garbage decide what half of it takes; below what is promised they decide too much.
  const mostMs = 3 * Math.max(calmP99, OBJECTIVE_MS);
  const grantedPerSecond = over.accepted.count / over.seconds;
  // A server that lets almost nobody in answers in time too.
  return { over, after, grantedPerSecond, bounds: { mostMs, leastPerSecond: capacity / 4 }, ...seen };
}

/**
 * Whatever else the machine does can only make it look worse, so the best of a few is what the server does. The capacity is found anew for
 * each: that of a faster minute is no measure of a slower one.
 */
async function bestOf(attempts: number) {
  let best = await measure(await findCapacity());
  for (let attempt = 1; attempt < attempts && !isGood(best); attempt++)
    best = await measure(await findCapacity());
  return best;
}

/** Tells if the test would find all that depends on times as it should be. */
function isGood({ over, after, grantedPerSecond, bounds }: Awaited<ReturnType<typeof measure>>): boolean {
  return (
    (over.accepted.p99 ?? Infinity) < bounds.mostMs &&
    grantedPerSecond > bounds.leastPerSecond &&
    after.refused.count === 0
  );
}

it(
  'at three times its capacity a server answers in time what it lets in, says to the rest when to come back, and recovers within 5 s',
  async () => {
    // Until the engine has settled on how to run the server's code.
    await load.atRate(WARM_UP.rate, WARM_UP.durationMs);
    const { over, after, grantedPerSecond, bounds, memory, answers } = await bestOf(ATTEMPTS);

    expect(over.others).toEqual({});
    expect(over.refused.count).toBeGreaterThan(0);
    expect(over.accepted.p99).toBeLessThan(bounds.mostMs);
    expect(grantedPerSecond).toBeGreaterThan(bounds.leastPerSecond);

    expect(answers.refusals.length).toBeGreaterThan(0);
    for (const refusal of answers.refusals) {
      expect(refusal.reason).toBe('OVERLOADED');
      expect(refusal.retryAfterMs).toBeGreaterThan(0);
    }
    const third = Math.floor(memory.length / 3);
    const [warm, last] = [memory.slice(third, 2 * third), memory.slice(2 * third)];
    expect(median(last) - median(warm)).toBeLessThan(FLAT_MIB);
    expect(after.refused.count).toBe(0);
  },
  LIMIT_MS,
);

import { setTimeout as pause } from 'node:timers/promises';
import { randomInt } from 'node:crypto';
import { AdminService, CallMode } from '@callpass/contract';
import { createCredentialClient } from '@callpass/client';
import { connect, createClient } from '@callpass/grpc-kit';
import { credentials } from '@grpc/grpc-js';
import { afterAll, beforeAll, expect, it } from '@jest/globals';
import { type EdgeProcess, startEdgeProcess } from './edge-process.ts';
import { type Attempt, Calls, frames, http, PRESENTED } from './fuzz/peers.ts';
import { Random } from './fuzz/random.ts';
import { watchMemory } from './peers/memory.ts';
import { startServerProcess, type ServerProcess } from './processes.ts';
import { provision } from './provision.ts';

/**
 * Random peers of a server and an edge: frames, headers, messages of each RPC, HTTP/1.1. The seed is printed, so that a run can be
 * repeated: CALLPASS_FUZZ_SEED=… CALLPASS_FUZZ_SECONDS=… (24 seconds by default).
 */
const SEED = Number(process.env['CALLPASS_FUZZ_SEED'] ?? randomInt(2 ** 31));
const SECONDS = Number(process.env['CALLPASS_FUZZ_SECONDS'] ?? 24);
/** Peers of a kind at a time. */
const AT_A_TIME = 8;
/** Rounds in the time, and at most: as long as the memory grows. */
const ROUNDS = 3;
const MOST_ROUNDS = 6;
const SEEDS_OF_A_ROUND = 10_000_000;
/** Growth of the peak from one round to the next, in MiB. */
const MOST_MIB = 64;
/** The documented limit of a server. */
const LIMIT_MIB = 512;

let server: ServerProcess;
let edge: EdgeProcess;
beforeAll(async () => {
  server = await startServerProcess();
  await provision(server.address);
  edge = await startEdgeProcess(server.address);
}, 60_000);
afterAll(async () => {
  await edge.stop();
  await server.stop();
});

/** Makes attempts for a time, and gives what they found. Each is the only user of its random numbers. */
async function run(
  kind: string,
  attempt: Attempt,
  { round, seconds }: { round: number; seconds: number },
): Promise<string[]> {
  const found: string[] = [];
  const until = performance.now() + seconds * 1000;
  const first = SEED + round * SEEDS_OF_A_ROUND;
  let begun = 0;
  const work = async () => {
    while (performance.now() < until && found.length < 10) {
      const seed = first + begun++;
      const fault = await attempt(new Random(seed)).catch((error: unknown) => `failed: ${String(error)}`);
      if (fault !== undefined) found.push(`CALLPASS_FUZZ_SEED=${seed} ${kind}: ${fault}`);
    }
  };
  await Promise.all(Array.from({ length: AT_A_TIME }, work));
  process.stdout.write(`fuzz: ${begun} ${kind}, from seed ${first}\n`);
  return found;
}

/** Replaces whatever configuration is left by one that works, and asks for credentials. */
async function issueAnew(): Promise<string> {
  const connection = connect({ address: server.address, credentials: credentials.createInsecure() });
  const admin = createClient(AdminService, connection);
  const { revision } = await admin.getConfiguration({});
  await admin.applyConfiguration({
    configuration: {
      destinations: [
        { id: 'last', mode: CallMode.UNRESTRICTED, account: 'a@x.example', callees: ['b@x.example'] },
      ],
    },
    expectedRevision: revision?.revision ?? 0,
    force: true,
  });
  connection.close();
  const client = createCredentialClient({ address: server.address });
  const { callee } = await client.issueCredentials({ destination: 'last' });
  client.close();
  return callee;
}

/** Waits until the edge no longer remembers its readiness under a random configuration, and gives its answer. */
async function readiness(): Promise<string> {
  for (let attempt = 0; ; attempt++) {
    const answer = await fetch(`${edge.url}/readyz`);
    if (answer.ok || attempt === 30) return `${answer.status} ${await answer.text()}`;
    await answer.body?.cancel();
    await pause(100);
  }
}

it(
  'random peers find no way to end, fill or silence the server and the edge, and no status without a reason',
  async () => {
    const watched = [server, edge].map(({ child }) => watchMemory(child.pid as number));
    const calls = new Calls(server.address);
    const kinds: [string, Attempt][] = [
      ['frames', frames(server.address)],
      ['headers', calls.headers],
      ['messages', calls.messages],
      ['requests to the edge', http(new URL(edge.url).host)],
    ];
    const peaks: number[][] = [];
    const found: string[] = [];
    // A heap grows at first, and where the machine is slow for longer. What leaks grows in each round.
    const growthMib = () => {
      const [before, last] = [peaks.at(-2) ?? [], peaks.at(-1) ?? []];
      return Math.max(...last.map((mib, index) => mib - (before[index] ?? 0)));
    };
    for (let round = 0; round < ROUNDS || (round < MOST_ROUNDS && growthMib() >= MOST_MIB); round++) {
      for (const [kind, attempt] of kinds)
        found.push(...(await run(kind, attempt, { round, seconds: SECONDS / ROUNDS / kinds.length })));
      peaks.push(watched.map((memory) => memory.peak()));
    }
    calls.close();
    watched.forEach((memory) => memory.stop());

    expect(found).toEqual([]);
    expect([server, edge].map(({ child }) => child.exitCode ?? child.signalCode)).toEqual([null, null]);
    expect(growthMib()).toBeLessThan(MOST_MIB);
    expect(Math.max(...peaks.flat())).toBeLessThan(LIMIT_MIB);
    const output = server.output() + edge.output();
    expect(output).not.toContain(PRESENTED);
    expect(
      output.split('\n').filter((line) => /unhandled|uncaught|"msg":"fault"|\bat .*\.[jt]s:\d/i.test(line)),
    ).toEqual([]);
    expect(await issueAnew()).toBe('b@x.example');
    expect(await readiness()).toBe('200 {"status":"ready"}');
  },
  (SECONDS * 1000 * MOST_ROUNDS) / ROUNDS + 60_000,
);

import { setTimeout as pause } from 'node:timers/promises';
import { afterEach, expect, it } from '@jest/globals';
import { inFull } from './full.ts';
import { startLoad } from './load.ts';
import { startBystander, type Sights } from './peers/bystander.ts';
import { watchMemory, type WatchedMemory } from './peers/memory.ts';
import { startPeer, type Peer } from './peers/start-peer.ts';
import { ended, startServerProcess, type ServerProcess } from './processes.ts';
import { provision } from './provision.ts';

/**
 * Peers that keep to no rule, in processes of their own. The memory of the server is to stay flat, and who does nothing
 * wrong is to be served all the time, on a connection that is open as on new ones.
 */
const LIMIT_MS = 600_000;
const GIVE_UP_MS = 240_000;

/** Connections of health probes. */
const PROBES = inFull(100_000, 40_000);
/** By how much memory may grow once it is warm, in MiB: what V8 leaves lying about before it looks. */
const FLAT_MIB = 96;
/** Limit on the memory of an open connection, in KiB. */
const CONNECTION_KIB = 64;

/** An address that the peers come from; the others come from 127.0.0.1. */
const PEER = '127.0.0.2';

let server: ServerProcess;
let memory: WatchedMemory;
const running: { stop(): unknown }[] = [];

async function start(environment: NodeJS.ProcessEnv): Promise<void> {
  server = await startServerProcess({
    CALLPASS_TELEMETRY_ADDRESS: '127.0.0.1:0',
    CALLPASS_LOG_LEVEL: 'warn',
    ...environment,
  });
  await provision(server.address);
  memory = stopLater(watchMemory(server.child.pid as number));
}

function peer<Outcome>(program: 'probe' | 'reset' | 'tail', ...args: unknown[]): Peer<Outcome> {
  return stopLater(startPeer<Outcome>(program, [server.address, ...args]));
}

function stopLater<Running extends { stop(): unknown }>(started: Running): Running {
  running.push(started);
  return started;
}

afterEach(async () => {
  for (const started of running.splice(0)) await started.stop();
  await server.stop();
});

/** A series of the server's metrics, all its labels together. */
async function metric(name: string, labels = ''): Promise<number> {
  const scraped = await fetch(`http://${server.telemetry}/metrics`).then((response) => response.text());
  const samples = scraped.matchAll(new RegExp(`^${name}(?:\\{.*${labels}.*\\})? (\\d+)`, 'gm'));
  return [...samples].reduce((sum, [, value]) => sum + Number(value), 0);
}

async function until(what: string, holds: () => Promise<boolean> | boolean): Promise<void> {
  const begin = performance.now();
  while (!(await holds())) {
    if (performance.now() - begin > GIVE_UP_MS) throw new Error(`it never came to this: ${what}`);
    await pause(100);
  }
}

function expectServed({ granted, failed }: Sights): void {
  expect(failed).toEqual([]);
  expect(granted.old).toBeGreaterThan(0);
  expect(granted.new).toBeGreaterThan(0);
}

interface Probed {
  readonly answered: number;
  readonly refused: number;
}

it(
  `${PROBES} connections of health probes leave nothing behind: else a load balancer ends an instance in a week`,
  async () => {
    await start({});
    const bystander = stopLater(startBystander(server.address));
    const sources = [2, 3, 4, 5, 6, 7].map((last) => `127.0.0.${last}`);
    const probes = peer<Probed>('probe', PROBES, 'close', ...sources);
    await until('a third is done', () => (probes.outcome.answered ?? 0) >= PROBES / 3);
    const warm = memory.peak();
    expect(await probes.done).toMatchObject({ answered: PROBES, refused: 0 });
    expect(memory.peak() - warm).toBeLessThan(FLAT_MIB);
    await until(
      'the server knows that they are gone',
      async () => (await metric('callpass_connections_open')) < 10,
    );
    expectServed(await bystander.stop());
  },
  LIMIT_MS,
);

it(
  'probes that stay take the places of their own address: else one that forgets to close shuts everybody out',
  async () => {
    await start({ CALLPASS_CONNECTIONS_MAX_PER_PEER: '1000' });
    const bystander = stopLater(startBystander(server.address));
    await until('warm', () => bystander.sights.granted.old > 50);
    const warm = memory.peak();
    const probes = peer<Probed>('probe', 3000, 'hold', PEER, '127.0.0.3');
    const { answered, refused } = await probes.done;
    expect(memory.peak() - warm).toBeLessThan((2000 * CONNECTION_KIB) / 1024);
    // The oldest gives way to the next of its address: nobody was recognised on it.
    const [refusedPlace, unfinished, unrecognised] = [
      await metric('callpass_connections_turned_away_total', 'peer'),
      await metric('callpass_connections_turned_away_total', 'unfinished'),
      await metric('callpass_connections_turned_away_total', 'unrecognised'),
    ];
    expect(refusedPlace + unfinished + unrecognised).toBe(1000);
    expect(refused).toBeGreaterThanOrEqual(refusedPlace);
    expect(answered + refused).toBe(3000);
    const others = (await metric('callpass_connections_open')) - 2000;
    expect(others).toBeGreaterThanOrEqual(0);
    expect(others).toBeLessThanOrEqual(2);
    expectServed(await bystander.stop());
  },
  LIMIT_MS,
);

it(
  '10,000 calls a second that one peer begins and takes back end its connections: else they are all that is worked on',
  async () => {
    await start({});
    const bystander = stopLater(startBystander(server.address));
    await until('warm', () => bystander.sights.granted.old > 50);
    const warm = memory.peak();
    const reset = peer<{ sent: number }>('reset', 10_000, 10, PEER);
    const { sent } = await reset.done;
    // It could send them; that they did not arrive is what it is about.
    expect(sent).toBeGreaterThan(50_000);
    expect(memory.peak() - warm).toBeLessThan(FLAT_MIB);
    const { granted } = await bystander.stop();
    expectServed(bystander.sights);
    expect(await metric('callpass_connections_turned_away_total', 'resets')).toBeGreaterThan(0);
    // Each of them would have an entry in the ledger that nobody asked for in earnest.
    const issued = await metric('callpass_issue_decisions_total', 'issued');
    expect(issued - granted.old - granted.new).toBeLessThan(sent / 5);
  },
  LIMIT_MS,
);

it(
  'a client that is stopped while it reads is not waited for: else it costs memory as long as it likes, and no drain ends',
  async () => {
    await start({
      CALLPASS_CONNECTIONS_KEEPALIVE_INTERVAL: '5s',
      CALLPASS_CONNECTIONS_KEEPALIVE_TIMEOUT: '1s',
      CALLPASS_DRAIN_GRACE: '2s',
    });
    const load = stopLater(startLoad(server.address, 'd', { workers: 4 }));
    const stopOneThatReads = async () => {
      const tail = peer('tail', 40, PEER);
      await tail.done;
      return () => tail.child.kill('SIGSTOP');
    };
    const stopFirst = await stopOneThatReads();
    const bystander = stopLater(startBystander(server.address));
    // So many that the heap has grown to what the load alone takes.
    await load.reached(6000);
    const warm = memory.peak();
    stopFirst();
    // Those of the load and the bystander are left, between two newcomers.
    await until('the server has cut it off', async () => (await metric('callpass_connections_open')) <= 2);
    // All that was granted since is on its way to it forty times, had it not been held back.
    expect(memory.peak() - warm).toBeLessThan(FLAT_MIB);
    const stopSecond = await stopOneThatReads();
    stopSecond();
    await load.stop();
    expect(load.outcome).toMatchObject({ unexpected: [], unavailable: 0 });
    expectServed(await bystander.stop());
    const begin = performance.now();
    server.child.kill('SIGTERM');
    expect(await ended(server.child)).toEqual({ code: 0, signal: null });
    expect(performance.now() - begin).toBeLessThan(10_000);
  },
  LIMIT_MS,
);

import { readFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { type CallOptions, connect, createClient } from '@callpass/grpc-kit';
import { Health } from '@callpass/rpc-protos/gen/grpc/health/v1/health_pb.js';
import { ServerReflection } from '@callpass/rpc-protos/gen/grpc/reflection/v1/reflection_pb.js';
import { credentials, Metadata } from '@grpc/grpc-js';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { holdStore } from '../testing/hold-store.ts';
import { refusalOf } from '../testing/refusal.ts';
import { DOCUMENT, KEYS, startTestServer, type TestServer } from '../testing/test-server.ts';

const KIB = 1024;
const ERRORS = readFileSync(join(import.meta.dirname, '../../../../docs/errors.md'), 'utf8');

/** Statuses of the list that one maker gives. */
function listed(maker: string): Set<string> {
  const rows = ERRORS.slice(ERRORS.indexOf('## Statuses without a reason')).split('\n');
  const own = rows.filter((row) => row.split('|')[2]?.trim() === maker);
  return new Set(
    own.flatMap((row) => [...(row.split('|')[1] ?? '').matchAll(/`(\w+)`/g)].map(([, name]) => name ?? '')),
  );
}

async function start(): Promise<TestServer> {
  const server = await startTestServer({ environment: { CALLPASS_DRAIN_GRACE: '300ms' } });
  await server.configure(DOCUMENT);
  await server.activateKey('ecb.example', KEYS['ecb.example']);
  return server;
}

let server: TestServer;
beforeAll(async () => {
  server = await start();
});
afterAll(async () => {
  await server.stop();
});

const checking = ({ connection }: TestServer) => createClient(Health, connection).check({});

/** Calls on a connection of its own, which may be lost. */
async function checked(address: string, headers: Record<string, string> = {}) {
  const connection = connect({
    address,
    credentials: credentials.createInsecure(),
    channelOptions: { 'grpc.use_local_subchannel_pool': 1 },
  });
  const metadata = new Metadata();
  for (const [name, value] of Object.entries(headers)) metadata.set(name, value);
  const refusal = refusalOf(createClient(Health, connection).check({}, { metadata }));
  return refusal.finally(() => {
    connection.close();
  });
}

/** Sends a message above the bound once the first was answered. */
async function reflected({ connection }: TestServer) {
  const answered = Promise.withResolvers<void>();
  const queries = async function* () {
    yield {};
    await answered.promise;
    yield { host: 'x'.repeat(40 * KIB) };
  };
  const answers = createClient(ServerReflection, connection).serverReflectionInfo(queries());
  return refusalOf(
    (async () => {
      for await (const _ of answers) answered.resolve();
    })(),
  );
}

/** A conversation that its client leaves open. */
async function* unending() {
  yield {};
  await new Promise(() => undefined);
}

async function taken(answers: AsyncIterable<unknown>): Promise<void> {
  for await (const _ of answers);
}

async function nobodyListens(): Promise<string> {
  const nobody = createServer().listen(0, '127.0.0.1');
  await new Promise((resolve) => nobody.once('listening', resolve));
  const { port } = nobody.address() as { port: number };
  await new Promise((resolve) => nobody.close(resolve));
  return `127.0.0.1:${port}`;
}

describe('a status that the server did not send is in the list of docs/errors.md:', () => {
  it('each that a client makes, and no other is listed for it', async () => {
    const release = await holdStore(server);
    const issuing = (options: CallOptions) =>
      refusalOf(server.credentials.issueCredentials({ destination: 'ecb' }, options));
    const seen = await Promise.all([
      checked(await nobodyListens()),
      checked(server.address, { a: '~'.repeat(64 * KIB + 1) }),
      issuing({ timeoutMs: 300 }),
      issuing({ signal: AbortSignal.timeout(100) }),
      reflected(server),
    ]);
    await release();
    for (const { reason } of seen) expect(reason).toBeUndefined();
    expect(new Set(seen.map(({ code }) => code))).toEqual(listed("the client's library"));
  });
});

describe('while a server drains,', () => {
  it('what is under way is answered, and a new call finds nobody', async () => {
    const draining = await start();
    const release = await holdStore(draining);
    const issuing = draining.credentials.issueCredentials({ destination: 'ecb' });
    await checking(draining);
    const stopped = draining.stop();
    const late = refusalOf(checking(draining));
    await release();
    expect((await issuing).grant.case).toBe('timeLimited');
    expect(await late).toMatchObject({ code: 'UNAVAILABLE', reason: undefined });
    await stopped;
  });

  it('calls of any kind that do not end by themselves are cut off with a reason', async () => {
    const draining = await start();
    const release = await holdStore(draining);
    const { credentials: issuer, ledger } = draining;
    const cutOff = [
      refusalOf(issuer.issueCredentials({ destination: 'ecb' })),
      refusalOf(issuer.batchIssueCredentials({ requests: [{ destination: 'ecb' }] })),
      refusalOf(taken(ledger.tailEntries({}))),
      refusalOf(taken(createClient(ServerReflection, draining.connection).serverReflectionInfo(unending()))),
    ];
    await checking(draining);
    const stopped = draining.stop();
    for (const refusal of await Promise.all(cutOff))
      expect(refusal).toMatchObject({ code: 'UNAVAILABLE', reason: 'SERVER_STOPPING', domain: 'callpass' });
    await release();
    await stopped;
  });
});

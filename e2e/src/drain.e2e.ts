import { DatabaseSync } from 'node:sqlite';
import { connect, createClient } from '@callpass/grpc-kit';
import { Health } from '@callpass/rpc-protos/gen/grpc/health/v1/health_pb.js';
import { Client as GrpcClient, credentials, Metadata } from '@grpc/grpc-js';
import { expect, it } from '@jest/globals';
import { startLoad } from './load.ts';
import { ended, startServerProcess, type ServerProcess } from './processes.ts';
import { provision } from './provision.ts';

const GRACE_MS = 2000;
const ENTRY_KIND_ISSUED = 1;

async function startLoaded(): Promise<ServerProcess> {
  const server = await startServerProcess({ CALLPASS_DRAIN_GRACE: `${GRACE_MS}ms` });
  await provision(server.address);
  return server;
}

function issuedEntries(storeFile: string): unknown {
  const store = new DatabaseSync(storeFile, { readOnly: true });
  const row = store.prepare('select count(*) as count from ledger where kind = ?').get(ENTRY_KIND_ISSUED);
  store.close();
  return row?.['count'];
}

it('SIGTERM under load: every request that was accepted is answered, and the process ends within the grace time', async () => {
  const server = await startLoaded();
  const load = startLoad(server.address, 'd', { workers: 8 });
  await load.reached(500);
  const start = Date.now();
  server.child.kill('SIGTERM');
  expect(await ended(server.child)).toEqual({ code: 0, signal: null });
  expect(Date.now() - start).toBeLessThan(GRACE_MS);
  await load.stop();
  expect(load.outcome.unexpected).toEqual([]);
  // What was accepted has a record. Had a request been cut after it was accepted, there were more records than answers.
  expect(issuedEntries(server.storeFile)).toBe(load.outcome.granted.length);
  expect(server.output()).not.toContain('cutting off');
  await server.stop();
});

it('SIGTERM with a client that never ends its call: health says NOT_SERVING, and the grace time is the end of it', async () => {
  const server = await startLoaded();
  const client = new GrpcClient(server.address, credentials.createInsecure());
  const same = (bytes: Buffer) => bytes;
  // A stream of requests that is opened and then left alone.
  const stuck = client.makeBidiStreamRequest(
    '/grpc.reflection.v1.ServerReflection/ServerReflectionInfo',
    same,
    same,
    new Metadata(),
  );
  stuck.on('error', () => undefined);
  const connection = connect({ address: server.address, credentials: credentials.createInsecure() });
  const watched: number[] = [];
  const watching = (async () => {
    for await (const { status: now } of createClient(Health, connection).watch({}, { timeoutMs: 30_000 })) {
      watched.push(now);
      if (watched.length === 1) server.child.kill('SIGTERM');
    }
  })().catch(() => undefined);
  const { code } = await ended(server.child);
  expect(code).toBe(0);
  await watching;
  expect(watched).toEqual([1, 2]);
  expect(server.output()).toContain('cutting off');
  client.close();
  connection.close();
  await server.stop();
});

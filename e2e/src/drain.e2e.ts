import { DatabaseSync } from 'node:sqlite';
import { connect, createClient, RpcError } from '@callpass/grpc-kit';
import { AdminService, CredentialService } from '@callpass/contract';
import { Health } from '@callpass/rpc-protos/gen/grpc/health/v1/health_pb.js';
import { Client as GrpcClient, credentials, Metadata, status } from '@grpc/grpc-js';
import { expect, it } from '@jest/globals';
import { ended, startServerProcess, type ServerProcess } from './processes.ts';

const GRACE_MS = 2000;
const ENTRY_KIND_ISSUED = 1;

async function startLoaded(): Promise<ServerProcess> {
  const server = await startServerProcess({ CALLPASS_DRAIN_GRACE: `${GRACE_MS}ms` });
  const connection = connect({ address: server.address, credentials: credentials.createInsecure() });
  await createClient(AdminService, connection).applyConfiguration({
    configuration: {
      realms: [{ name: 'r', cipher: 1, tokenLifetime: { seconds: 60n } }],
      destinations: [{ id: 'd', realm: 'r', account: 'a@x.example', callees: ['b@x.example'] }],
    },
  });
  const admin = createClient(AdminService, connection);
  await admin.addRealmKey({ realm: 'r' });
  await admin.activateRealmKey({ realm: 'r', version: 1 });
  connection.close();
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
  const outcomes = { granted: 0, refusedUnaccepted: 0, failed: [] as string[] };
  let going = true;
  const workers = Array.from({ length: 8 }, async () => {
    const connection = connect({ address: server.address, credentials: credentials.createInsecure() });
    const client = createClient(CredentialService, connection);
    while (going) {
      try {
        await client.issueCredentials({ destination: 'd' });
        outcomes.granted++;
      } catch (error) {
        // After GOAWAY new requests find nobody: that is UNAVAILABLE and they were never accepted.
        const unaccepted = error instanceof RpcError && error.code === status.UNAVAILABLE;
        if (unaccepted) {
          outcomes.refusedUnaccepted++;
          if (server.child.exitCode !== null) break;
        } else outcomes.failed.push(String(error));
      }
    }
    connection.close();
  });
  while (outcomes.granted < 500) await new Promise(setImmediate);
  const start = Date.now();
  server.child.kill('SIGTERM');
  expect(await ended(server.child)).toEqual({ code: 0, signal: null });
  going = false;
  await Promise.all(workers);
  expect(Date.now() - start).toBeLessThan(GRACE_MS);
  expect(outcomes.failed).toEqual([]);
  // What was accepted has a record. Had a request been cut after it was accepted, there were more records than answers.
  expect(issuedEntries(server.storeFile)).toBe(outcomes.granted);
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

import { randomUUID } from 'node:crypto';
import { create } from '@bufbuild/protobuf';
import {
  AdminService,
  ConfigurationSchema,
  CredentialService,
  LedgerEntry_Kind,
  LedgerService,
} from '@callpass/contract';
import { connect, createClient, RpcError, type Connection } from '@callpass/grpc-kit';
import { postgresServer, type PostgresServer } from '@callpass/testkit/postgres-server';
import { credentials, status } from '@grpc/grpc-js';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { startServerProcess, type ServerProcess } from './processes.ts';
import { provision } from './provision.ts';
import { sharedStore, type SharedStore } from './shared-store.ts';

const [OK, PERMISSION_DENIED, ABORTED]: readonly number[] = [
  status.OK,
  status.PERMISSION_DENIED,
  status.ABORTED,
];

/** Time limit of the contract for changes at another instance. */
const LIMIT_MS = 2000;

let store: SharedStore<PostgresServer>;
let servers: [ServerProcess, ServerProcess];
let connections: [Connection, Connection];

beforeAll(async () => {
  store = await sharedStore(await postgresServer());
  const first = await startServerProcess(store.environment);
  servers = [first, await startServerProcess(store.environment)];
  const open = ({ address }: ServerProcess) =>
    connect({ address, credentials: credentials.createInsecure() });
  connections = [open(servers[0]), open(servers[1])];
  await provision(first.address);
}, 120_000);
afterAll(async () => {
  for (const connection of connections) connection.close();
  for (const server of servers) await server.stop();
  await store.remove();
});

/** Asks until the answer is as expected; gives how long that took. */
async function msUntil(expected: () => Promise<boolean>): Promise<number> {
  const start = performance.now();
  while (!(await expected())) {
    if (performance.now() - start > 2 * LIMIT_MS) break;
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
  return performance.now() - start;
}

const codeOf = (call: Promise<unknown>) =>
  call.then(
    () => OK,
    (error: unknown) => (error instanceof RpcError ? error.code : -1),
  );

describe('two instances on one PostgreSQL', () => {
  it('a revision that is applied at one serves at the other within 2 s', async () => {
    const admin = createClient(AdminService, connections[0]);
    const there = createClient(CredentialService, connections[1]);
    await msUntil(async () => (await codeOf(there.issueCredentials({ destination: 'd' }))) === OK);
    const { configuration, revision } = await admin.getConfiguration({});
    const [destination] = configuration?.destinations ?? [];
    await admin.applyConfiguration({
      configuration: create(ConfigurationSchema, {
        realms: configuration?.realms ?? [],
        destinations: destination ? [destination, { ...destination, id: 'new' }] : [],
      }),
      expectedRevision: revision?.revision ?? 0,
    });
    const took = await msUntil(
      async () => (await codeOf(there.issueCredentials({ destination: 'new' }))) === OK,
    );
    process.stderr.write(`a revision reached the other instance after ${took.toFixed(0)} ms\n`);
    expect(took).toBeLessThan(LIMIT_MS);
  });

  it('a freeze at one refuses at the other within 2 s', async () => {
    const scope = { scope: { case: 'destination', value: 'd' } } as const;
    const there = createClient(CredentialService, connections[1]);
    await createClient(AdminService, connections[0]).freeze({ scope, reason: 'test' });
    const took = await msUntil(
      async () => (await codeOf(there.issueCredentials({ destination: 'd' }))) === PERMISSION_DENIED,
    );
    await createClient(AdminService, connections[0]).unfreeze({ scope });
    await msUntil(async () => (await codeOf(there.issueCredentials({ destination: 'd' }))) === OK);
    expect(took).toBeLessThan(LIMIT_MS);
  });

  it('a request id that is raced over both gives one issue and one answer', async () => {
    const clients = connections.map((connection) => createClient(CredentialService, connection));
    const requestId = randomUUID();
    const answers = await Promise.all(
      Array.from({ length: 50 }, (_, index) =>
        (clients[index % 2] as (typeof clients)[number]).issueCredentials({ destination: 'd', requestId }),
      ),
    );
    expect(new Set(answers.map((answer) => JSON.stringify(answer.grant.value))).size).toBe(1);
    const [{ issuanceId } = { issuanceId: '' }] = answers;
    const { entries } = await createClient(LedgerService, connections[0]).listEntries({
      kind: LedgerEntry_Kind.ISSUED,
      pageSize: 1000,
    });
    expect(entries.filter((entry) => entry.issuanceId === issuanceId)).toHaveLength(1);
  });

  it('of two operators at two instances one wins, and the other is told', async () => {
    const admins = connections.map((connection) => createClient(AdminService, connection));
    const { configuration, revision } = await createClient(AdminService, connections[0]).getConfiguration({});
    const outcomes = await Promise.all(
      admins.map((admin, index) =>
        codeOf(
          admin.applyConfiguration({
            configuration: create(ConfigurationSchema, {
              realms: configuration?.realms ?? [],
              destinations: (configuration?.destinations ?? []).map((destination) => ({
                ...destination,
                callers: [`c${index}@x.example`],
              })),
            }),
            expectedRevision: revision?.revision ?? 0,
          }),
        ),
      ),
    );
    expect(outcomes.sort()).toEqual([OK, ABORTED]);
  });
});

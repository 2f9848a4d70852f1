import { randomBytes } from 'node:crypto';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { CredentialService, Verdict, VerdictSchema } from '@callpass/contract';
import { connect, createClient, RpcError } from '@callpass/grpc-kit';
import { ErrorInfoSchema } from '@callpass/rpc-protos/gen/google/rpc/error_details_pb.js';
import { postgresServer, type PostgresServer } from '@callpass/testkit/postgres-server';
import { credentials } from '@grpc/grpc-js';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { plant } from './canary/keep.ts';
import { ROOT, run, startServerProcess, type ServerProcess } from './processes.ts';
import { sharedStore, type SharedStore } from './shared-store.ts';

const PAGE = join(ROOT, 'docs/operations/incident-leaked-key.md');
const LEAKED_KEY = 'leaked-key-16-by';
const REALM = 'support.example';
const DOCUMENT = `
realms: [{ name: ${REALM}, cipher: AES_128_ECB, tokenLifetime: 600s }]
destinations: [{ id: support, realm: ${REALM}, account: a@x.example, callees: [b@x.example] }]
`;
/** Time limit of the contract for changes at another instance. */
const LIMIT_MS = 2000;

let store: SharedStore<PostgresServer>;
let servers: [ServerProcess, ServerProcess];

beforeAll(async () => {
  store = await sharedStore(await postgresServer(), { CALLPASS_TELEMETRY_ADDRESS: '127.0.0.1:0' });
  servers = [await startServerProcess(store.environment), await startServerProcess(store.environment)];
}, 60_000);
afterAll(async () => {
  for (const server of servers) await server.stop();
  await store.remove();
});

/** The commands of a page, as they are printed. */
function commandsOf(page: string): string[] {
  const blocks = readFileSync(page, 'utf8').matchAll(/^ *```sh\n([\s\S]*?)^ *```$/gm);
  return [...blocks].flatMap(([, block = '']) => block.split('\n').flatMap((line) => line.trim() || []));
}

/** Runs a command line as a shell does, at one of the servers. */
function shell(command: string, server: ServerProcess, options: { input?: string; token?: string } = {}) {
  return run('sh', ['-c', command], {
    env: { CALLPASS_ADDRESS: server.address, LEAKED_TOKEN: options.token },
    ...(options.input !== undefined && { input: options.input }),
  });
}

describe('the page about a leaked key', () => {
  it('ends with its tokens refused at every instance, also after the freeze is lifted', async () => {
    const [here, there] = servers;
    plant('realm key', LEAKED_KEY);
    await shell('callpass config apply -f -', here, { input: DOCUMENT });
    await shell(`callpass key add ${REALM} --key-file -`, here, { input: LEAKED_KEY });
    await shell(`callpass key activate ${REALM} 1`, here);
    const connection = connect({ address: there.address, credentials: credentials.createInsecure() });
    const client = createClient(CredentialService, connection);
    const verdictOf = async (token: string) =>
      VerdictSchema.value[(await client.validateToken({ realm: REALM, token })).verdict]?.name;
    const { grant } = await issued(() => client.issueCredentials({ destination: 'support' }));
    const token = grant.case === 'timeLimited' ? grant.value.toToken : '';
    expect(await verdictOf(token)).toBe('VALID');

    const commands = commandsOf(PAGE);
    expect(commands.length).toBeGreaterThan(7);
    for (const command of commands) {
      const outcome = await shell(command, here, { token });
      const refused = command.startsWith('callpass validate');
      expect({ command, ...outcome }).toMatchObject({ command, code: refused ? 1 : 0 });
      if (refused) expect(outcome.stdout).toContain('UNDECIPHERABLE');
    }
    await until(async () => (await verdictOf(token)) === 'UNDECIPHERABLE');
    const after = await issued(() => client.issueCredentials({ destination: 'support' }));
    expect(after.keyVersion).toBe(2);
    const { verdict } = await client.validateCredentials({
      timeLimited: after.grant.case === 'timeLimited' ? after.grant.value : {},
    });
    expect(verdict).toBe(Verdict.VALID);
    connection.close();
  });

  it('and incident counts what the export has', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'callpass-e2e-'));
    const file = join(folder, 'ledger.jsonl');
    expect(await shell(`callpass ledger export -o ${file}`, servers[0])).toMatchObject({ code: 0 });
    const lines = readFileSync(file, 'utf8').trim().split('\n');
    rmSync(folder, { recursive: true });
    const ofKey = (version: number) =>
      lines.filter((line) => {
        const { kind, keyVersion } = JSON.parse(line) as { kind?: string; keyVersion?: number };
        return kind === 'ISSUED' && keyVersion === version;
      }).length;
    for (const version of [1, 2]) {
      const { code, stdout } = await shell(
        `callpass incident key ${REALM} ${version} --output json`,
        servers[0],
      );
      const issuedCount = String(ofKey(version));
      expect(issuedCount).not.toBe('0');
      expect({ code, ...JSON.parse(stdout) }).toMatchObject({ code: 0, issuedCount });
    }
  });
});

describe('a freeze while the store is sealed under another key', () => {
  it('stops an instance with the former key within 2 s, which says why and goes on validating', async () => {
    const former = servers[1];
    const connection = connect({ address: former.address, credentials: credentials.createInsecure() });
    const client = createClient(CredentialService, connection);
    const before = await client.issueCredentials({ destination: 'support' });
    const validate = () =>
      client.validateCredentials({
        timeLimited: before.grant.case === 'timeLimited' ? before.grant.value : {},
      });
    await servers[0].stop();

    const file = join(mkdtempSync(join(tmpdir(), 'callpass-e2e-')), 'new-key');
    const newKey = randomBytes(32).toString('base64');
    plant('key-encryption key', newKey);
    writeFileSync(file, newKey, { mode: 0o600 });
    const resealed = await run('npx', ['callpass-server', 'reseal', '--new-key-file', file], {
      env: store.environment,
    });
    rmSync(dirname(file), { recursive: true });
    expect(resealed).toMatchObject({ code: 0 });
    const renewed = await startServerProcess({ ...store.environment, CALLPASS_KEY_ENCRYPTION_KEY: newKey });
    servers = [renewed, former];
    const open = connect({ address: renewed.address, credentials: credentials.createInsecure() });
    await issued(() => createClient(CredentialService, open).issueCredentials({ destination: 'support' }));
    open.close();
    expect(await shell(`callpass freeze realm ${REALM} --reason stop`, renewed)).toMatchObject({ code: 0 });
    await new Promise((resolve) => setTimeout(resolve, LIMIT_MS));

    const reasons = new Set<string>();
    const end = performance.now() + 1000;
    while (performance.now() < end)
      reasons.add(await refusalOf(client.issueCredentials({ destination: 'support' })));
    expect([...reasons]).toEqual(['SNAPSHOT_STALE']);
    // The freeze has reached it although it cannot open what is sealed.
    expect(await validate()).toMatchObject({ verdict: Verdict.FROZEN, stale: true });
    const port = `http://${former.telemetry ?? ''}`;
    const metrics = await (await fetch(`${port}/metrics`)).text();
    expect(metrics).toMatch(/^callpass_snapshot_stale\{.*"SEALED_ANEW".*\} 1$/m);
    expect(await (await fetch(`${port}/readyz`)).json()).toMatchObject({
      issuing: 'no',
      validating: 'yes',
      state: 'sealed under another key-encryption key',
    });
    expect(former.output()).toContain('"cause":"SEALED_ANEW"');
    connection.close();
  });
});

/** Reason that a call is refused for. */
async function refusalOf(call: Promise<unknown>): Promise<string> {
  try {
    await call;
    return 'granted';
  } catch (error) {
    if (!(error instanceof RpcError)) throw error;
    return error.findDetails(ErrorInfoSchema)[0]?.reason ?? error.message;
  }
}

/** Asks until it is granted, for as long as a change may take to be in force. */
async function issued<T>(ask: () => Promise<T>): Promise<T> {
  const start = performance.now();
  for (;;) {
    try {
      return await ask();
    } catch (error) {
      if (performance.now() - start > LIMIT_MS) throw error;
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
  }
}

async function until(holds: () => Promise<boolean>): Promise<void> {
  const start = performance.now();
  while (!(await holds())) {
    if (performance.now() - start > LIMIT_MS) throw new Error('not in force after 2 s');
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}

import { X509Certificate } from 'node:crypto';
import { mkdirSync, renameSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { connect as connectTls } from 'node:tls';
import { createAuthority, type Authority, type CertifiedKey } from '@callpass/dev-certificates';
import { createAdminClient, createCredentialClient, createLedgerClient } from '@callpass/client';
import { Cipher, Role } from '@callpass/contract';
import { afterAll, beforeAll, expect, it } from '@jest/globals';
import { fileIn, startWithDevCerts, tlsFiles, type DevCertsServer } from './dev-certs.ts';

/** Time limit until a new certificate is served to new connections. */
const WITHIN_MS = 5000;

let server: DevCertsServer;
let authority: Authority;
let stopLoad: () => Promise<{ granted: number; failed: string[] }>;
/** Entries that a stream which was opened before the first change has brought. */
let tailed = 0;
let tailEnded: string | undefined;
const closing: { close(): void }[] = [];

beforeAll(async () => {
  server = await startWithDevCerts();
  authority = await createAuthority();
  // Clients trust both the authority of dev-certs and the one whose certificates come later.
  const trusted = join(server.folder, 'trusted.crt');
  writeFileSync(trusted, fileIn(server.folder, 'ca.crt') + authority.cert);
  const tls = (client: string) => ({ ...tlsFiles(server.folder, client), caFile: trusted });
  const operator = { address: server.address, tls: tls('operator') };
  const admin = createAdminClient(operator);
  await admin.applyConfiguration({
    configuration: {
      realms: [{ name: 'r', cipher: Cipher.AES_128_ECB, tokenLifetime: { seconds: 60n } }],
      destinations: [{ id: 'd', realm: 'r', account: 'a@x.example', callees: ['b@x.example'] }],
      clients: [
        {
          name: 'edge',
          identities: [{ kind: { case: 'dnsName', value: 'edge.callpass.example' } }],
          grants: [{ role: Role.ISSUER, destinations: ['d'] }],
        },
      ],
    },
  });
  await admin.addRealmKey({ realm: 'r' });
  await admin.activateRealmKey({ realm: 'r', version: 1 });

  const ledger = createLedgerClient(operator);
  const tail = new AbortController();
  void (async () => {
    for await (const _ of ledger.tailEntries({}, { signal: tail.signal })) tailed++;
  })().catch((error: unknown) => (tailEnded = String(error)));
  closing.push(admin, { close: () => tail.abort() }, ledger);

  let going = true;
  const outcome = { granted: 0, failed: [] as string[] };
  // Some on a connection that stays open, others on a new one for each few requests.
  const workers = Array.from({ length: 6 }, async (_, index) => {
    const open = () =>
      createCredentialClient({
        address: server.address,
        tls: tls('edge'),
        retry: false,
        channelOptions: { 'grpc.use_local_subchannel_pool': 1 },
      });
    let client = open();
    for (let asked = 1; going; asked++) {
      try {
        await client.issueCredentials({ destination: 'd' }, { timeoutMs: 30_000 });
        outcome.granted++;
      } catch (error) {
        outcome.failed.push(String(error));
      }
      if (index >= 3 && asked % 5 === 0) {
        client.close();
        client = open();
      }
    }
    client.close();
  });
  stopLoad = async () => {
    going = false;
    await Promise.all(workers);
    return outcome;
  };
});
afterAll(async () => {
  for (const each of closing) each.close();
  await server.stop();
});

const serverPair = () => authority.issue({ names: ['localhost', '127.0.0.1'], use: 'server' });

/** The serial number of the certificate that a new connection gets. */
function servedSerial(): Promise<string | undefined> {
  const [host = '', port] = server.address.split(':');
  return new Promise((resolve, reject) => {
    const socket = connectTls(
      { host, port: Number(port), servername: 'localhost', rejectUnauthorized: false, ALPNProtocols: ['h2'] },
      () => {
        resolve(socket.getPeerX509Certificate()?.serialNumber);
        socket.destroy();
      },
    );
    socket.once('error', reject);
  });
}

/** Measures the time until new connections get this certificate, in milliseconds. */
async function servedAfterMs({ cert }: CertifiedKey): Promise<number> {
  const startMs = performance.now();
  const { serialNumber } = new X509Certificate(cert);
  while ((await servedSerial()) !== serialNumber) {
    if (performance.now() - startMs > 4 * WITHIN_MS) break;
    await new Promise((resolve) => setTimeout(resolve, 25));
  }
  return performance.now() - startMs;
}

const file = (name: string) => join(server.folder, name);

it('a certificate that is written over the old one is served to new connections within 5 s', async () => {
  for (let change = 0; change < 3; change++) {
    const pair = await serverPair();
    writeFileSync(file('server.crt'), pair.cert);
    writeFileSync(file('server.key'), pair.key);
    expect(await servedAfterMs(pair)).toBeLessThan(WITHIN_MS);
  }
});

it('so is one that is put there by moving a symbolic link, as Kubernetes does', async () => {
  const version = (name: string, { cert, key }: CertifiedKey) => {
    mkdirSync(file(name));
    writeFileSync(file(`${name}/server.crt`), cert);
    writeFileSync(file(`${name}/server.key`), key);
    symlinkSync(name, file('..new'));
    renameSync(file('..new'), file('..data'));
  };
  const [first, second] = [await serverPair(), await serverPair()];
  version('..1', first);
  for (const name of ['server.crt', 'server.key']) {
    symlinkSync(`..data/${name}`, file(`${name}.link`));
    renameSync(file(`${name}.link`), file(name));
  }
  expect(await servedAfterMs(first)).toBeLessThan(WITHIN_MS);
  version('..2', second);
  expect(await servedAfterMs(second)).toBeLessThan(WITHIN_MS);
});

it('a key of another certificate is not taken: the old pair stays in use, and the log says so', async () => {
  const before = await servedSerial();
  const logged = server.output().length;
  const [one, other] = [await serverPair(), await serverPair()];
  writeFileSync(file('server.crt'), one.cert);
  writeFileSync(file('server.key'), other.key);
  while (!server.output().slice(logged).includes('stay in use'))
    await new Promise((resolve) => setTimeout(resolve, 25));
  expect(await servedSerial()).toBe(before);
  writeFileSync(file('server.key'), one.key);
  expect(await servedAfterMs(one)).toBeLessThan(WITHIN_MS);
});

it("a client's certificate that is renewed is taken by open connections before the old one's time is over", async () => {
  const taken = () => server.output().split('certificate in use').length;
  const before = taken();
  writeFileSync(file('ca.crt'), fileIn(server.folder, 'ca.crt') + authority.cert);
  while (taken() === before) await new Promise((resolve) => setTimeout(resolve, 25));
  const renew = async (notAfterMs: number) => {
    const notAfter = new Date(notAfterMs);
    const pair = await authority.issue({ names: ['edge.callpass.example'], use: 'client', notAfter });
    writeFileSync(file('edge.crt'), pair.cert);
    writeFileSync(file('edge.key'), pair.key);
  };
  const endMs = Date.now() + 16_000;
  await renew(endMs);
  while (Date.now() < endMs - 8_000) await new Promise((resolve) => setTimeout(resolve, 25));
  await renew(endMs + 3_600_000);
  while (Date.now() < endMs + 3_000) await new Promise((resolve) => setTimeout(resolve, 25));
}, 60_000);

it('all the while no request has failed, and the connections from before went on', async () => {
  const before = tailed;
  const { granted, failed } = await stopLoad();
  expect(failed).toEqual([]);
  expect(granted).toBeGreaterThan(100);
  expect(tailEnded).toBeUndefined();
  expect(tailed).toBeGreaterThanOrEqual(before);
  expect(tailed).toBeGreaterThan(0);
  process.stdout.write(`${granted} requests granted, none failed, while certificates changed\n`);
});

import { execFileSync, spawn } from 'node:child_process';
import { generateKeyPairSync, randomBytes, sign } from 'node:crypto';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { createServer as createTlsServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createAuthority, type CertifiedKey } from '@callpass/dev-certificates';
import { keep, plant } from '../canary/keep.ts';
import { startSystemPostgres } from '../debian-postgres.ts';
import { ended } from '../processes.ts';
import { ImageRoots } from './image-roots.ts';
import type { Place } from './network.ts';

/** Addresses of the loopback, one for each pod and neighbour. */
const ADDRESS = {
  server: '127.16.0.2',
  edge: '127.16.0.3',
  postgres: '127.16.0.10',
  redis: '127.16.0.11',
  issuer: '127.16.0.12',
} as const;

/** Labels of namespaces, as the README asks for them. */
export const NAMESPACES = {
  shop: { 'callpass.example/client': 'true' },
};

/** Neighbours of Callpass in a cluster, and the secrets that the README asks for. */
export interface Cluster {
  readonly images: ImageRoots;
  readonly secrets: Readonly<Record<string, Readonly<Record<string, string>>>>;
  /** Places by the names that settings use. */
  readonly places: Readonly<Record<string, Place>>;
  readonly addressOf: (pod: string) => string;
  /** Gives a token of a service account of the namespace `callpass`. */
  readonly tokenOf: (serviceAccount: string, audience: string) => string;
  /** Paths of the requests that the collector has got, one of each kind. */
  readonly collected: () => readonly string[];
  /** Empties PostgreSQL and Redis. */
  readonly empty: () => Promise<void>;
  readonly stop: () => Promise<void>;
}

/** Starts what a cluster has: PostgreSQL and Redis over TLS, a collector, an issuer of tokens. Needs root, for `chroot`. */
export async function startCluster(): Promise<Cluster> {
  const folder = mkdtempSync(join(tmpdir(), 'callpass-cluster-'));
  execFileSync('chmod', ['755', folder]);
  const authority = await createAuthority();
  const serverPair = (...names: string[]) => authority.issue({ names, use: 'server' });
  const clientPair = (id: string) =>
    authority.issue({ uris: [`spiffe://callpass.example/${id}`], use: 'client' });
  const withAuthority = ({ cert, key }: CertifiedKey) => ({
    'tls.crt': cert,
    'tls.key': key,
    'ca.crt': authority.cert,
  });

  const database = await serverPair('postgres.callpass-data.svc');
  const postgres = await startSystemPostgres({
    host: ADDRESS.postgres,
    port: 5432,
    files: { 'server.crt': database.cert, 'server.key': database.key, 'clients.crt': authority.cert },
    access: 'host all postgres 127.0.0.0/8 trust\nhostssl callpass callpass 127.0.0.0/8 cert\n',
  });
  const sql = (text: string) => postgres.tool('psql', '-h', ADDRESS.postgres, '-U', 'postgres', '-qc', text);
  await sql('create role callpass login');

  const password = randomBytes(24).toString('hex');
  plant('password of Redis', password);
  const counters = await serverPair('redis.callpass-data.svc');
  for (const [name, text] of Object.entries({ ...withAuthority(counters) }))
    writeFileSync(join(folder, name), text, { mode: 0o600 });
  const redis = spawn(
    'redis-server',
    ['--port', '0', '--tls-port', '6379', '--bind', ADDRESS.redis, '--requirepass', password].concat(
      ['--tls-cert-file', 'tls.crt', '--tls-key-file', 'tls.key', '--tls-ca-cert-file', 'ca.crt'],
      ['--tls-auth-clients', 'no', '--save', '', '--appendonly', 'no'],
    ),
    { cwd: folder, stdio: ['ignore', 'pipe', 'inherit'] },
  );
  for await (const chunk of redis.stdout) if (String(chunk).includes('Ready to accept')) break;

  const collector = await startCollector();
  const issuer = await startIssuer(await serverPair('oidc.example.org'));
  const key = randomBytes(32).toString('base64');
  plant('key-encryption key', key);
  const visitors = randomBytes(32).toString('base64');
  plant('visitor secret', visitors);
  const pod = (name: string) => ({ name, namespace: 'callpass', labels: { 'app.kubernetes.io/name': name } });
  return {
    images: new ImageRoots(folder),
    secrets: {
      'callpass-key-encryption': { key },
      'callpass-server-tls': withAuthority(await serverPair('callpass-server.callpass.svc', 'localhost')),
      'callpass-edge-tls': withAuthority(await clientPair('edge')),
      'callpass-operator-tls': withAuthority(await clientPair('operator')),
      'callpass-edge-visitor': { secrets: visitors },
      'callpass-postgres': withAuthority(await authority.issue({ commonName: 'callpass', use: 'client' })),
      'callpass-redis': { url: `rediss://:${password}@redis.callpass-data.svc:6379` },
      'callpass-authorities': { 'ca.crt': authority.cert },
    },
    places: {
      'callpass-server.callpass.svc': {
        party: pod('callpass-server'),
        host: ADDRESS.server,
        ports: { 50051: 50051, 9464: 9464 },
      },
      'callpass-edge.callpass.svc': {
        party: pod('callpass-edge'),
        host: ADDRESS.edge,
        ports: { 8080: 8080 },
      },
      'postgres.callpass-data.svc': {
        party: { name: 'postgres', namespace: 'callpass-data' },
        host: ADDRESS.postgres,
        ports: { 5432: 5432 },
      },
      'redis.callpass-data.svc': {
        party: { name: 'redis', namespace: 'callpass-data' },
        host: ADDRESS.redis,
        ports: { 6379: 6379 },
      },
      'collector.observability.svc': {
        party: { name: 'collector', namespace: 'observability' },
        host: '127.0.0.1',
        ports: { 4318: collector.port },
      },
      'oidc.example.org': {
        party: { name: 'issuer', address: '203.0.113.7' },
        host: ADDRESS.issuer,
        ports: { 443: 443 },
      },
    },
    addressOf: (name) => (name === 'callpass-server' ? ADDRESS.server : ADDRESS.edge),
    tokenOf: issuer.tokenOf,
    collected: collector.paths,
    async empty() {
      await sql('drop database if exists callpass with (force)');
      await sql('create database callpass owner callpass');
      execFileSync('redis-cli', ['-h', ADDRESS.redis, '--tls', '--cacert', 'ca.crt', 'flushall'], {
        cwd: folder,
        env: { ...process.env, REDISCLI_AUTH: password },
        stdio: 'ignore',
      });
    },
    async stop() {
      redis.kill('SIGTERM');
      await ended(redis);
      issuer.server.close();
      collector.server.close();
      await postgres.remove();
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

/** A collector that takes whatever it gets, and keeps it for the scan at the end of the run. */
async function startCollector() {
  const paths = new Set<string>();
  const server = createServer((request, response) => {
    paths.add(request.url ?? '');
    request.on('data', (chunk: Buffer) => keep('telemetry.bin', chunk));
    request.on('end', () => response.writeHead(200, { 'content-type': 'application/x-protobuf' }).end());
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return { server, port: (server.address() as AddressInfo).port, paths: () => [...paths].sort() };
}

/** The cluster's issuer of tokens, with its keys at an address outside the cluster. */
async function startIssuer(pair: CertifiedKey) {
  const { publicKey, privateKey } = generateKeyPairSync('rsa', { modulusLength: 2048 });
  const keys = JSON.stringify({
    keys: [{ ...publicKey.export({ format: 'jwk' }), alg: 'RS256', use: 'sig' }],
  });
  const server = createTlsServer({ cert: pair.cert, key: pair.key }, (request, response) => {
    response.writeHead(request.url === '/cluster/keys' ? 200 : 404).end(keys);
  });
  server.listen(443, ADDRESS.issuer);
  await once(server, 'listening');
  const part = (value: object) => Buffer.from(JSON.stringify(value)).toString('base64url');
  return {
    server,
    tokenOf: (serviceAccount: string, audience: string): string => {
      const head = part({ alg: 'RS256', typ: 'JWT' });
      const claims = part({
        iss: 'https://oidc.example.org/cluster',
        sub: `system:serviceaccount:callpass:${serviceAccount}`,
        aud: [audience],
        exp: Math.floor(Date.now() / 1000) + 3600,
      });
      const signature = sign('sha256', Buffer.from(`${head}.${claims}`), privateKey).toString('base64url');
      const token = `${head}.${claims}.${signature}`;
      plant('token of a service account', token);
      return token;
    },
  };
}

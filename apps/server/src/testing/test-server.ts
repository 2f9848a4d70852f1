import { randomBytes } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseConfigurationDocument } from '@callpass/config-document';
import { AdminService, CredentialService, LedgerService } from '@callpass/contract';
import { connect, createClient, type Client, type Connection, type ConnectOptions } from '@callpass/grpc-kit';
import { credentials } from '@grpc/grpc-js';
import { createLog, type Logger } from '@callpass/program/log';
import type { ClockSource } from '../clock/clock-guard.ts';
import { startServer } from '../server.ts';
import { loadServerSettings } from '../settings/load.ts';

/** A clock that stands still until it is moved. */
export interface TestClock {
  nowMs: number;
  now(): number;
}

/** A whole server on SQLite in a folder of its own, with a client for each service. */
export interface TestServer {
  readonly address: string;
  readonly connection: Connection;
  readonly credentials: Client<typeof CredentialService>;
  readonly admin: Client<typeof AdminService>;
  readonly ledger: Client<typeof LedgerService>;
  readonly clock: TestClock;
  /** Its environment, to start a second one on the same store. */
  readonly environment: Readonly<Record<string, string>>;
  /** Applies a document over whatever is in force. */
  configure(document: string): Promise<number>;
  /** Gives a realm this key and makes it active. */
  activateKey(realm: string, key: string): Promise<number>;
  stop(): Promise<void>;
}

/** 2026-03-02 10:00:00.123 UTC, a Monday. */
export const START_MS = Date.UTC(2026, 2, 2, 10, 0, 0, 123);

/** Starts one. Give `environment` of another to share its store. */
export async function startTestServer(
  options: {
    environment?: Readonly<Record<string, string>>;
    clock?: TestClock;
    /** The clocks by which a step is found; the machine's when left out. */
    clockSource?: ClockSource;
    /** Its log; by its settings when left out. */
    log?: Logger;
    /** Options of its own clients' connections; plain text when left out. */
    connect?: Omit<ConnectOptions, 'address'>;
  } = {},
): Promise<TestServer> {
  const folder = mkdtempSync(join(tmpdir(), 'callpass-server-'));
  const environment = {
    CALLPASS_LISTEN_ADDRESS: '127.0.0.1:0',
    CALLPASS_STORE_URL: `sqlite:${join(folder, 'callpass.db')}`,
    CALLPASS_STORE_POLL_INTERVAL: '50ms',
    CALLPASS_KEY_ENCRYPTION_KEY: randomBytes(32).toString('base64'),
    CALLPASS_ACCESS_LOCAL: 'everything',
    CALLPASS_LOG_LEVEL: 'silent',
    // Other servers may share the store.
    CALLPASS_LIMITS_PER_INSTANCE: 'true',
    CALLPASS_STORE_RESERVE_BYTES: '0',
    ...options.environment,
  };
  const clock: TestClock = options.clock ?? { nowMs: START_MS, now: () => clock.nowMs };
  const settings = loadServerSettings({ environment });
  const remove = () => {
    rmSync(folder, { recursive: true, force: true });
  };
  const server = await startServer(
    settings,
    options.log ?? createLog(settings.log),
    clock,
    options.clockSource,
  ).catch((error: unknown) => {
    remove();
    throw error;
  });
  const connection = connect({
    address: server.address,
    credentials: credentials.createInsecure(),
    ...options.connect,
  });
  const admin = createClient(AdminService, connection);
  return {
    address: server.address,
    connection,
    credentials: createClient(CredentialService, connection),
    admin,
    ledger: createClient(LedgerService, connection),
    clock,
    environment,
    async configure(document) {
      const { configuration, empty: allowEmpty } = parseConfigurationDocument(document);
      const { revision } = await admin.getConfiguration({});
      const applied = await admin.applyConfiguration({
        configuration,
        expectedRevision: revision?.revision ?? 0,
        allowEmpty,
      });
      return applied.revision;
    },
    async activateKey(realm, key) {
      const { realmKey } = await admin.addRealmKey({ realm, key });
      const version = realmKey?.version ?? 0;
      await admin.activateRealmKey({ realm, version });
      return version;
    },
    async stop() {
      connection.close();
      await server.stop();
      remove();
    },
  };
}

/** One realm of each cipher and one in seconds, with keys that open with any tool. */
export const KEYS = {
  'ecb.example': 'realm-key-16byte',
  'cbc.example': 'realm-key-of-exactly-32-letters!',
  'seconds.example': 'another-16-bytes',
} as const;

/** A document with a destination for each way of calling. */
export const DOCUMENT = `
realms:
  - { name: ecb.example, cipher: AES_128_ECB, tokenLifetime: 600s, maxClockSkew: 30s }
  - { name: cbc.example, cipher: AES_256_CBC_HMAC_SHA256, tokenLifetime: 600s, maxClockSkew: 30s }
  - { name: seconds.example, cipher: AES_128_ECB, tokenLifetime: 60s, timestampUnit: SECONDS }
  - { name: keyless.example, cipher: AES_128_ECB, tokenLifetime: 60s }
destinations:
  - { id: ecb, realm: ecb.example, account: account@kandy.example, callees: [support@kandy.example, "*@team.example", "*@x.io"], callers: [shop@kandy.example] }
  - { id: cbc, realm: cbc.example, account: account@kandy.example, callees: [support@kandy.example] }
  - { id: seconds, realm: seconds.example, account: account@kandy.example, callees: [support@kandy.example] }
  - { id: keyless, realm: keyless.example, account: account@kandy.example, callees: [support@kandy.example] }
  - { id: lobby, mode: UNRESTRICTED, account: account@kandy.example, callees: [lobby@kandy.example] }
  - { id: off, realm: ecb.example, account: account@kandy.example, callees: [support@kandy.example], enabled: false }
  - { id: members, realm: ecb.example, account: account@kandy.example, callees: [support@kandy.example], requireSubject: true }
  - id: office
    realm: ecb.example
    account: account@kandy.example
    callees: [support@kandy.example]
    hours: { timeZone: Europe/Berlin, open: ["Mon-Fri 08:00-18:00"], closedDates: ["2026-03-03"] }
  - id: limited
    realm: ecb.example
    account: account@kandy.example
    callees: [support@kandy.example]
    limits: [{ per: SUBJECT, max: 2, window: 60s }, { per: DESTINATION, max: 1, window: 60s, shadow: true }]
`;

/** A server with the document applied and the keys active. */
export async function startConfiguredServer(): Promise<TestServer> {
  const server = await startTestServer();
  await server.configure(DOCUMENT);
  for (const [realm, key] of Object.entries(KEYS)) await server.activateKey(realm, key);
  return server;
}

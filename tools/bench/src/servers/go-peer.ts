import { execFile } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import type { ExampleCall } from './callpass-server.ts';
import { startProgram, type BenchChild } from './child-process.ts';

/** Libraries of Debian's packages. */
const GOPATH = '/usr/share/gocode';
const GRPC = join(GOPATH, 'src/google.golang.org/grpc');
const PACKAGES = 'golang-go golang-google-grpc-dev';

/** Go service that makes three ECB tokens a call. */
export interface GoPeer {
  readonly child: BenchChild;
  readonly address: string;
  /** The call as it answers it. */
  readonly call: ExampleCall;
  stop(): Promise<void>;
}

/** Builds it with the Go of Debian and starts it on one core. Gives the reason, as text, where that is not installed. */
export async function startGoPeer(example: ExampleCall): Promise<GoPeer | string> {
  if (!existsSync(GRPC)) return `Go peer: left out, ${GRPC} is missing (Debian: apt install ${PACKAGES})`;
  const folder = mkdtempSync(join(tmpdir(), 'callpass-go-'));
  const remove = () => rmSync(folder, { recursive: true, force: true });
  const program = join(folder, 'peer');
  const source = join(import.meta.dirname, '../../go-peer/main.go');
  const env = { ...process.env, GO111MODULE: 'off', GOPATH, GOFLAGS: '' };
  try {
    await promisify(execFile)('go', ['build', '-o', program, source], { env, cwd: folder });
  } catch (error) {
    remove();
    return `Go peer: left out, it could not be built: ${(error as Error).message}`;
  }
  const started = startProgram(program, [example.path, randomBytes(8).toString('hex')], { GOMAXPROCS: '1' });
  const [address, bytes] = String(await started.message()).split(' ');
  // Go runs calls on any thread.
  const child = { ...started, mainThreadCpuSeconds: () => NaN };
  return {
    child,
    address: address ?? '',
    call: { path: example.path, message: example.message, responseBytes: Number(bytes) },
    async stop() {
      await child.stop();
      remove();
    },
  };
}

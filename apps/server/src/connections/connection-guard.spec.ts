import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createSecureServer, createServer, type Http2Server, type ServerHttp2Session } from 'node:http2';
import type { AddressInfo } from 'node:net';
import { createAuthority } from '@callpass/dev-certificates';
import type { ConnectionCause } from '@callpass/telemetry';
import { afterEach, describe, expect, it } from '@jest/globals';
import { ConnectionGuard } from './connection-guard.ts';

const BOUNDS = {
  max: 10,
  maxPerPeer: 0,
  handshakeTimeoutMs: 60_000,
  minPingIntervalMs: 0,
  maxResetsPerSecond: 0,
  maxHeaderBytes: 80 * 1024,
  maxUnfinishedBytes: 1024 * 1024,
};

/** Takes any amount of an endless answer, until it is stopped. */
const READER = `
  const { connect } = require('node:http2');
  const session = connect(process.argv[1], { rejectUnauthorized: false, settings: { initialWindowSize: 2 ** 31 - 1 } });
  session.on('connect', () => session.setLocalWindowSize(2 ** 31 - 1));
  session.request().resume();
`;

const cleanups: (() => unknown)[] = [];
afterEach(async () => {
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup();
});

async function secureServer(): Promise<Http2Server> {
  const authority = await createAuthority();
  return createSecureServer(await authority.issue({ names: ['localhost'], use: 'server' }));
}

describe('a connection that was ended while its peer is stopped', () => {
  it.each([
    ['in plain text', () => createServer()],
    ['with TLS', secureServer],
  ])('is cut off, with what is on its way: %s', async (_how, create) => {
    const server = await create();
    const causes: ConnectionCause[] = [];
    const guard = new ConnectionGuard(BOUNDS, {
      onRejected: (cause) => causes.push(cause),
      isRecognised: () => false,
      sweepMs: 200,
    });
    cleanups.push(() => guard.stop());
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    cleanups.push(() => server.close());
    guard.guard(server);
    let held = false;
    server.on('stream', (stream) => {
      stream.on('error', () => undefined).respond();
      const write = () => {
        // All that the kernel takes is on its way when a write waits for long.
        const timer = setTimeout(() => (held = true), 1000);
        stream.write(Buffer.alloc(256 * 1024), (error) => {
          clearTimeout(timer);
          if (!error) setImmediate(write);
        });
      };
      write();
    });
    const opened = once(server, 'session') as Promise<[ServerHttp2Session]>;
    const scheme = 'setSecureContext' in server ? 'https' : 'http';
    const url = `${scheme}://127.0.0.1:${(server.address() as AddressInfo).port}`;
    const reader = spawn(process.execPath, ['-e', READER, url], { stdio: 'inherit' });
    cleanups.push(() => reader.kill('SIGKILL'));
    const [session] = await opened;
    session.on('error', () => undefined);
    await once(session, 'stream');
    reader.kill('SIGSTOP');
    while (!held) await new Promise((resolve) => setTimeout(resolve, 50));
    expect(guard.open).toBe(1);
    session.destroy();
    await once(session, 'close');
    expect(causes).toEqual(['stuck']);
    while (guard.open > 0) await new Promise((resolve) => setTimeout(resolve, 10));
  });
});

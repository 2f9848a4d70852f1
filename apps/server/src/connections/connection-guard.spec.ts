import { spawn } from 'node:child_process';
import { once } from 'node:events';
import type { ServerHttp2Session } from 'node:http2';
import type { ConnectionCause } from '@callpass/telemetry';
import { afterEach, describe, expect, it } from '@jest/globals';
import { HTTP2_SERVERS, listenOnLoopback } from '../testing/http2-server.ts';
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

describe('a connection that was ended while its peer is stopped', () => {
  it.each(HTTP2_SERVERS)('is cut off, with what is on its way: %s', async (_how, create) => {
    const server = await create();
    const causes: ConnectionCause[] = [];
    const guard = new ConnectionGuard(BOUNDS, {
      onRejected: (cause) => causes.push(cause),
      isRecognised: () => false,
      sweepMs: 200,
    });
    cleanups.push(() => guard.stop());
    const url = await listenOnLoopback(server);
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

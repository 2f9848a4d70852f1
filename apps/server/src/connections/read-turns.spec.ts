import { spawn } from 'node:child_process';
import { afterEach, describe, expect, it } from '@jest/globals';
import { HTTP2_SERVERS, listenOnLoopback } from '../testing/http2-server.ts';
import { ConnectionGuard } from './connection-guard.ts';

const HEAD_BYTES = 15_000;
const CONNECTIONS = 8;
const CALLS = 60;
/** 64 KiB are four such heads, and one read of a socket may bring four more. */
const MOST_IN_A_TURN = 12;

/** Sends many large heads on several connections at once. Another process, since the server's turns are counted. */
const SENDER = `
  const { connect } = require('node:http2');
  const [, url, connections, calls] = process.argv;
  const headers = Object.fromEntries(Array.from({ length: 12 }, (_, i) => ['x-' + i, '~'.repeat(1200)]));
  for (let c = 0; c < connections; c++) {
    const session = connect(url, { rejectUnauthorized: false, maxSendHeaderBlockLength: 65536 });
    session.on('error', () => undefined);
    session.once('remoteSettings', () => {
      for (let i = 0; i < calls; i++) session.request(headers).on('error', () => undefined).resume();
    });
  }
`;

const cleanups: (() => unknown)[] = [];
afterEach(async () => {
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup();
});

describe('large headers of one peer on many connections at once', () => {
  it.each(HTTP2_SERVERS)(
    'come in small parts, so that others are served between them, and none is lost: %s',
    async (_how, create) => {
      const server = await create();
      const guard = new ConnectionGuard(
        {
          max: 100,
          maxPerPeer: 0,
          handshakeTimeoutMs: 60_000,
          minPingIntervalMs: 0,
          maxResetsPerSecond: 0,
          maxHeaderBytes: 16 * 1024,
          maxUnfinishedBytes: 1024 * 1024,
        },
        { onRejected: () => undefined, isRecognised: () => false },
      );
      cleanups.push(() => guard.stop());
      const url = await listenOnLoopback(server);
      cleanups.push(() => server.close());
      guard.guard(server);
      const inTurns: number[] = [];
      const all = Promise.withResolvers<void>();
      let inTurn = 0;
      let seen = 0;
      server.on('stream', (stream) => {
        guard.calls.follow(stream);
        guard.calls.read(stream, HEAD_BYTES);
        stream.on('error', () => undefined).respond({}, { endStream: true });
        if (inTurn++ === 0)
          setImmediate(() => {
            inTurns.push(inTurn);
            inTurn = 0;
            if (seen === CONNECTIONS * CALLS) all.resolve();
          });
        seen++;
      });
      const args = ['-e', SENDER, url, String(CONNECTIONS), String(CALLS)];
      const sender = spawn(process.execPath, args, { stdio: 'inherit' });
      cleanups.push(() => sender.kill('SIGKILL'));
      await all.promise;
      expect(Math.max(...inTurns)).toBeLessThanOrEqual(MOST_IN_A_TURN);
    },
  );
});

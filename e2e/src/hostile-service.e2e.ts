import { createServer, type Http2Server, type OutgoingHttpHeaders } from 'node:http2';
import type { AddressInfo } from 'node:net';
import { setTimeout as pause } from 'node:timers/promises';
import { scriptOf } from '@callpass/testkit/programs';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { startEdgeProcess } from './edge-process.ts';
import { startEndlessCommand } from './endless-command.ts';
import { run } from './processes.ts';

const SECRET = 'canary-of-a-hostile-service';
const LOUD_MS = 3000;

/** Headers that metadata may not hold, and a text that is of the peer alone. */
const HEADERS: OutgoingHttpHeaders = {
  authorization: `Bearer ${SECRET}\xe9`,
  'x-name': [`${SECRET}\xe9`, `\x80${SECRET}`, SECRET],
  'x-tab': `${SECRET}\t${SECRET}`,
  'x-name-bin': `${SECRET}!`,
};
const TRAILERS: OutgoingHttpHeaders = {
  ...HEADERS,
  'grpc-status': '13',
  'grpc-message': `${SECRET}\xe9`,
  'grpc-status-details-bin': `${SECRET}!`,
};

let hostile: Http2Server;
let address: string;
let answered = 0;

beforeAll(async () => {
  hostile = createServer();
  hostile.on('stream', (stream) => {
    stream.on('error', () => undefined);
    const head = { ':status': 200, 'content-type': 'application/grpc+proto', ...HEADERS };
    // In turn in the trailers of an answer, and in the only headers of one.
    if (answered++ % 2 === 0) {
      stream.respond({ ...head, ...TRAILERS }, { endStream: true });
      return;
    }
    stream.respond(head, { waitForTrailers: true });
    stream.once('wantTrailers', () => stream.sendTrailers(TRAILERS));
    stream.end();
  });
  await new Promise<void>((resolve) => hostile.listen(0, '127.0.0.1', resolve));
  address = `127.0.0.1:${(hostile.address() as AddressInfo).port}`;
});
afterAll(() => {
  hostile.close();
});

/** Fails where more than a line a second is about the library, or none. */
function expectQuiet(lines: readonly string[], ms: number): void {
  expect(answered).toBeGreaterThan(20);
  expect(lines.length).toBeGreaterThan(0);
  expect(lines.length).toBeLessThanOrEqual(ms / 1000 + 2);
  answered = 0;
}

describe('what a hostile service sends in headers that metadata may not hold', () => {
  it('is in no line of the edge, which has one a second about it', async () => {
    const startMs = performance.now();
    const edge = await startEdgeProcess(address);
    while (performance.now() - startMs < LOUD_MS) {
      const asked = Array.from({ length: 10 }, () =>
        fetch(`${edge.url}/v1/destinations/d/credentials`, { method: 'POST' }),
      );
      for (const answer of await Promise.all(asked)) {
        expect(answer.status).toBeGreaterThanOrEqual(500);
        expect(JSON.stringify([...answer.headers]) + (await answer.text())).not.toContain(SECRET);
      }
    }
    await edge.stop();
    expect(edge.output()).not.toContain(SECRET);
    const lines = edge
      .output()
      .split('\n')
      .filter((line) => line.includes('"msg":"message of the gRPC library"'));
    expectQuiet(lines, performance.now() - startMs);
  });

  it('is in nothing that the command line writes, which has one line a second about it', async () => {
    const cli = (...args: string[]) => run('node', [scriptOf('cli'), ...args, '--address', address]);
    const outcomes = await Promise.all([
      cli('health'),
      cli('issue', 'd'),
      cli('ledger', 'tail'),
      cli('config', 'get'),
    ]);
    for (const { code, stdout, stderr } of outcomes) {
      expect(code).toBeGreaterThan(0);
      expect(stdout + stderr).not.toContain(SECRET);
    }
    const startMs = performance.now();
    const top = startEndlessCommand(['top', '--interval', '100ms'], { CALLPASS_ADDRESS: address });
    await pause(LOUD_MS);
    const { code, stdout, stderr } = await top.interrupt();
    expect(code).toBe(0);
    expect(stdout + stderr).not.toContain(SECRET);
    expectQuiet(
      stderr.split('\n').filter((line) => line.includes('gRPC library')),
      performance.now() - startMs,
    );
  });
});

import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, describe, expect, it } from '@jest/globals';
import { generateHttpLoad, httpOpenLoop } from './http-load.ts';

let server: Server;
async function serve(answer: Parameters<typeof createServer>[1]): Promise<number> {
  server = createServer(answer as () => void);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return (server.address() as AddressInfo).port;
}
afterEach(() => {
  server.closeAllConnections();
  server.close();
});

const target = (port: number) => ({ port, method: 'GET', path: '/x?y=1', headers: { cookie: 'c' } }) as const;
const SHAPE = { connections: 2, durationMs: 50 };

describe('generateHttpLoad', () => {
  it('counts each answer that arrived, and asks as it was told to', async () => {
    const asked: string[] = [];
    const port = await serve((request, response) => {
      asked.push(`${request.method} ${request.url} ${request.headers.cookie}`);
      response.statusCode = asked.length % 2 ? 200 : 429;
      response.end('text');
    });
    const { ok, refused, perSecond } = await generateHttpLoad(target(port), SHAPE);
    expect(ok + refused).toBe(asked.length);
    expect(ok).toBe(Math.ceil(asked.length / 2));
    expect(perSecond).toBeGreaterThan(0);
    expect(new Set(asked)).toEqual(new Set(['GET /x?y=1 c']));
  });

  it('fails where a connection breaks, so that a dead server is not a slow one', async () => {
    const port = await serve((request) => request.socket.destroy());
    await expect(generateHttpLoad(target(port), SHAPE)).rejects.toThrow(/closed|reset/i);
  });
});

describe('httpOpenLoop', () => {
  it('counts from when a request was due, also while the server answers nothing: no latency is left out', async () => {
    let asked = 0;
    const port = await serve((_, response) => {
      // The first request holds the only connection for 100 ms, in which nine more are due.
      if (asked++ === 0) setTimeout(() => response.end('text'), 100);
      else response.end('text');
    });
    const shape = { connections: 1, ratePerSecond: 100, durationMs: 200, timeoutMs: 2000 };
    const { due, accepted, expired } = await httpOpenLoop(target(port), shape);
    expect({ due, count: accepted.count, expired }).toEqual({ due: 20, count: 20, expired: 0 });
    expect(accepted.max).toBeGreaterThanOrEqual(100);
    // Every fourth waited for 60 ms and more, though the server took that long for one only.
    expect(accepted.p50).toBeGreaterThan(5);
  });
});

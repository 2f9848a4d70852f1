import { afterEach, describe, expect, it } from '@jest/globals';
import { Server, ServerCredentials, status, type sendUnaryData, type ServerUnaryCall } from '@grpc/grpc-js';
import { generateLoad } from './generate-load.ts';

const PATH = '/bench.Test/Call';
const untouched = (bytes: Buffer): Buffer => bytes;
const servers: Server[] = [];

afterEach(() => {
  for (const server of servers.splice(0)) server.forceShutdown();
});

type Handler = (call: ServerUnaryCall<Buffer, Buffer>, answer: sendUnaryData<Buffer>) => void;

async function serve(call: Handler): Promise<{ address: string; server: Server }> {
  const server = new Server();
  servers.push(server);
  const codec = {
    requestSerialize: untouched,
    requestDeserialize: untouched,
    responseSerialize: untouched,
    responseDeserialize: untouched,
  };
  server.addService(
    { call: { path: PATH, requestStream: false, responseStream: false, ...codec } },
    { call },
  );
  const port = await new Promise<number>((resolve, reject) => {
    server.bindAsync('127.0.0.1:0', ServerCredentials.createInsecure(), (error, bound) =>
      error ? reject(error) : resolve(bound),
    );
  });
  return { address: `127.0.0.1:${port}`, server };
}

const SHAPE = { connections: 2, concurrency: 5, runInMs: 20, durationMs: 100 };

describe('generateLoad', () => {
  it('counts every call that a real server answered, with the bytes of its answers', async () => {
    let served = 0;
    const { address } = await serve(({ request }, answer) => {
      served++;
      answer(null, request);
    });
    const result = await generateLoad({ address, path: PATH, message: Buffer.alloc(95, 7) }, SHAPE);
    expect(result.ok).toBe(served);
    expect(result.ok).toBeGreaterThan(10);
    expect(result.failed).toBe(0);
    expect(result.responseBytes).toBe(100 * served);
    expect(result.perSecond).toBeGreaterThan(0);
  });

  it('counts no call that ended before the load had run in for its speed', async () => {
    let served = 0;
    const { address } = await serve((_, answer) => {
      // As many as are under way at once are answered; no other one is before the end.
      if (served++ < 10) answer(null, Buffer.alloc(1));
      else setTimeout(() => answer(null, Buffer.alloc(1)), 400);
    });
    const target = { address, path: PATH, message: Buffer.alloc(1) };
    const result = await generateLoad(target, { ...SHAPE, runInMs: 200 });
    expect(result.ok).toBe(served);
    expect(result.perSecond).toBe(0);
  });

  it('keeps as many calls under way as it was told, and no more', async () => {
    let underWay = 0;
    let most = 0;
    const { address } = await serve((_, answer) => {
      most = Math.max(most, ++underWay);
      setImmediate(() => {
        underWay--;
        answer(null, Buffer.alloc(1));
      });
    });
    await generateLoad({ address, path: PATH, message: Buffer.alloc(1) }, SHAPE);
    expect(most).toBeGreaterThan(5);
    expect(most).toBeLessThanOrEqual(10);
  });

  it('counts gRPC errors as failed, though their HTTP status is 200', async () => {
    let served = 0;
    const { address } = await serve((_, answer) => {
      if (served++ % 2 === 0) answer(null, Buffer.alloc(1));
      else answer({ code: status.RESOURCE_EXHAUSTED, details: 'no more' });
    });
    const result = await generateLoad({ address, path: PATH, message: Buffer.alloc(1) }, SHAPE);
    expect(result.failed).toBe(Math.floor(served / 2));
    expect(result.ok).toBe(Math.ceil(served / 2));
  });

  it('waits for the window where requests are larger than it, and takes answers of several frames', async () => {
    const { address } = await serve((_, answer) => answer(null, Buffer.alloc(100_000)));
    const result = await generateLoad({ address, path: PATH, message: Buffer.alloc(16_000) }, SHAPE);
    expect(result.failed).toBe(0);
    expect(result.ok).toBeGreaterThan(10);
    expect(result.responseBytes).toBe(result.ok * 100_005);
  });

  it('fails when the server goes away, rather than to report what was counted by then', async () => {
    const { address, server } = await serve(() => server.forceShutdown());
    await expect(generateLoad({ address, path: PATH, message: Buffer.alloc(1) }, SHAPE)).rejects.toThrow();
  });

  it('fails where nothing listens', async () => {
    const { address, server } = await serve(() => undefined);
    server.forceShutdown();
    await expect(generateLoad({ address, path: PATH, message: Buffer.alloc(1) }, SHAPE)).rejects.toThrow();
  });

  it('refuses a request that does not fit one frame', async () => {
    const { address } = await serve(() => undefined);
    await expect(generateLoad({ address, path: PATH, message: Buffer.alloc(16_384) }, SHAPE)).rejects.toThrow(
      RangeError,
    );
  });
});

import { once } from 'node:events';
import { createServer, type Http2Server } from 'node:http2';
import type { AddressInfo } from 'node:net';
import { Client, credentials, Metadata } from '@grpc/grpc-js';
import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { type GrpcLog, followGrpcLog } from './grpc-log.ts';

const SECRET = 'canary-secret\xe9';
const DROPPED = 'metadata that cannot be represented was dropped';

let lines: Parameters<GrpcLog['warn']>[];
let written: string[];
beforeEach(() => {
  jest.useFakeTimers({ doNotFake: ['nextTick', 'setImmediate'] });
  lines = [];
  written = [];
  jest.spyOn(process.stderr, 'write').mockImplementation((text) => written.push(String(text)) > 0);
  jest.spyOn(console, 'error').mockImplementation((...texts) => void written.push(texts.join(' ')));
  followGrpcLog({ warn: (...line) => lines.push(line) });
});
afterEach(() => {
  jest.restoreAllMocks();
  jest.useRealTimers();
});

const receive = () => Metadata.fromHttp2Headers({ authorization: `Bearer ${SECRET}` });

it('has one line a second for a kind, with the number, and never a value', () => {
  for (let round = 0; round < 1000; round++) receive();
  expect(lines).toEqual([[{ kind: DROPPED, count: 1 }, 'message of the gRPC library']]);
  jest.advanceTimersByTime(1000);
  expect(lines[1]?.[0]).toEqual({ kind: DROPPED, count: 999 });
  jest.advanceTimersByTime(1000);
  receive();
  expect(lines.map(([{ count }]) => count)).toEqual([1, 999, 1]);
  expect(JSON.stringify(lines)).not.toContain('canary');
  expect(written).toEqual([]);
});

describe('a client of a server whose trailers and headers hold bytes that metadata cannot', () => {
  let server: Http2Server;
  let client: Client;
  beforeEach(async () => {
    jest.useRealTimers();
    server = createServer();
    server.on('stream', (stream) => {
      stream.respond(
        { ':status': 200, 'content-type': 'application/grpc', 'x-secret': SECRET },
        { waitForTrailers: true },
      );
      stream.on('wantTrailers', () => {
        stream.sendTrailers({ 'grpc-status': '7', 'x-secret': SECRET });
      });
      stream.end();
    });
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    const { port } = server.address() as AddressInfo;
    client = new Client(`127.0.0.1:${port}`, credentials.createInsecure());
  });
  afterEach(() => {
    client.close();
    server.close();
  });

  it('prints no value', async () => {
    const same = (value: Buffer) => value;
    const code = await new Promise((resolve) => {
      client.makeUnaryRequest('/a.B/C', same, same, Buffer.alloc(0), (error) => {
        resolve(error?.code);
      });
    });
    expect(code).toBe(7);
    expect(lines[0]?.[0]).toEqual({ kind: DROPPED, count: 1 });
    expect(JSON.stringify([lines, written])).not.toContain('canary');
  });
});

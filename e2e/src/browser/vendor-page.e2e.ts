import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from '@jest/globals';
import { ROOT } from '../processes.ts';
import { eventually, visit } from './browser.ts';
import { startStage, type Stage } from './stage.ts';

const sdk = readFileSync(
  createRequire(join(ROOT, 'apps', 'sandbox', 'package.json')).resolve('@kandy-io/callme-sdk'),
);

/** A page of another origin, written against the vendor's ACTG server as the vendor documents it. */
const html = `<!doctype html><title>t</title><div id="remote"></div><script src="/kandy.js"></script>`;
const server = createServer((request, response) => {
  const script = request.url === '/kandy.js';
  response.writeHead(200, { 'content-type': script ? 'text/javascript' : 'text/html' });
  response.end(script ? sdk : html);
});

let stage: Stage;
let origin: string;
beforeAll(async () => {
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  stage = await startStage(['--allow-origin', origin]);
}, 180_000);
afterAll(async () => {
  await (stage as Stage | undefined)?.close();
  server.closeAllConnections();
  await new Promise((resolve) => server.close(resolve));
});

it('a page written against the vendor’s token server, of another origin, calls through /actg/token', async () => {
  const visitor = await visit(stage.browser, origin);
  const gateway = new URL(stage.control.gateway);
  const outcome = await visitor.page.evaluate(callAsTheVendorDoes, {
    edge: stage.control.edge,
    server: gateway.hostname,
    port: Number(gateway.port),
  });
  expect(outcome).toBe('Connected');
  const before = await visitor.audioBytes();
  await eventually(async () => {
    const { sent, received } = await visitor.audioBytes();
    return sent > before.sent && received > before.received;
  }, 'audio both ways');
  visitor.expectNoErrors(/favicon/);
  await visitor.close();
});

/** Runs in the page: the vendor's own order of things. */
async function callAsTheVendorDoes(where: { edge: string; server: string; port: number }): Promise<string> {
  const { Kandy } = globalThis as unknown as {
    Kandy: {
      create(config: object): {
        call: {
          makeAnonymous(callee: null, credentials: object, options: object): string;
          getById(id: string): { state: string };
        };
        on(event: string, listener: (params: { callId: string }) => void): void;
      };
    };
  };
  const client = Kandy.create({
    logs: { logLevel: 'silent' },
    call: { defaultPeerConfig: { iceServers: [] } },
    authentication: {
      subscription: { protocol: 'http', server: where.server, port: where.port, version: '1' },
      websocket: { protocol: 'ws', server: where.server, port: where.port },
    },
  });
  // Both headers make the browser ask first (preflight).
  const response = await fetch(`${where.edge}/actg/token?identifier=support`, {
    headers: { 'Content-Type': 'application/json', 'Cache-Control': 'no-cache' },
  });
  const { accountToken, fromToken, toToken, tokenRealm } = (await response.json()) as Record<string, string>;
  return new Promise((resolve) => {
    client.on('call:stateChange', ({ callId }) => {
      const { state } = client.call.getById(callId);
      if (state === 'Connected' || state === 'Ended') resolve(state);
    });
    client.call.makeAnonymous(
      null,
      { accountToken, fromToken, toToken, realm: tokenRealm },
      { from: 'visitor@kandy.example', audio: true, video: false },
    );
  });
}

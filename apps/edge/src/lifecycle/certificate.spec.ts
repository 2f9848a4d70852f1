import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { request, type RequestOptions } from 'node:https';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TLSSocket } from 'node:tls';
import { afterEach, beforeEach, expect, it } from '@jest/globals';
import { createAuthority, type Authority, type CertifiedKey } from '@callpass/dev-certificates';
import { loadEdgeSettings } from '../settings/load.ts';
import { createKeptLog, type KeptLine, type KeptLog } from '../testing/kept-log.ts';
import { startEdge, type RunningEdge } from './start-edge.ts';

let folder: string;
let authority: Authority;
let edge: RunningEdge | undefined;
let kept: KeptLog;

beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'callpass-edge-'));
  authority = await createAuthority();
  kept = createKeptLog();
});
afterEach(async () => {
  await edge?.stop();
  rmSync(folder, { recursive: true });
});

const files = () => ({ certFile: join(folder, 'tls.crt'), keyFile: join(folder, 'tls.key') });
const write = ({ cert, key }: CertifiedKey) => {
  writeFileSync(files().certFile, cert);
  writeFileSync(files().keyFile, key);
};
const issued = (commonName: string, notAfter?: Date) =>
  authority.issue({ commonName, names: ['127.0.0.1'], use: 'server', ...(notAfter && { notAfter }) });

const inUse = ({ message }: KeptLine) => message === 'certificate in use';

async function start(): Promise<RunningEdge> {
  const { certFile, keyFile } = files();
  const settings = loadEdgeSettings({
    environment: {
      CALLPASS_EDGE_LISTEN_ADDRESS: '127.0.0.1:0',
      CALLPASS_EDGE_LISTEN_CERT_FILE: certFile,
      CALLPASS_EDGE_LISTEN_KEY_FILE: keyFile,
      CALLPASS_EDGE_SERVICE_ADDRESS: '127.0.0.1:1',
    },
  });
  edge = await startEdge(settings, kept.log);
  return edge;
}

/** Asks on a new connection; gives the status and the name in the certificate. */
function ask({ address }: RunningEdge, path = '/healthz', options: RequestOptions = {}) {
  return new Promise<{ status: number | undefined; name: unknown }>((resolve, reject) => {
    const sent = request(`${address}${path}`, { ca: authority.cert, agent: false, ...options }, (answer) => {
      const name = (answer.socket as TLSSocket).getPeerCertificate().subject.CN;
      answer.resume();
      resolve({ status: answer.statusCode, name });
    });
    sent.once('error', reject);
    sent.end();
  });
}

it('a renewed certificate is served without a restart, and the log says so', async () => {
  write(await issued('first'));
  const running = await start();
  expect(await ask(running)).toEqual({ status: 200, name: 'first' });
  const at = kept.lines.length;
  write(await issued('second'));
  const line = await kept.said(inUse, at);
  expect(await ask(running)).toEqual({ status: 200, name: 'second' });
  expect(line.fields).toMatchObject({
    certFile: files().certFile,
    notAfter: expect.stringMatching(/Z$/),
  });
});

it.each([
  ['has expired', async () => issued('late', new Date(Date.now() - 60_000))],
  ['is none', async () => ({ cert: 'canary', key: 'canary' })],
  ['has the key of another', async () => ({ ...(await issued('a')), key: (await issued('b')).key })],
])(
  'a new certificate that %s is not taken, the log says so, and the next good one is',
  async (_what, bad) => {
    write(await issued('first'));
    const running = await start();
    let at = kept.lines.length;
    write(await bad());
    await kept.said(({ level, message }) => level === 'error' && message.includes('not taken'), at);
    expect(await ask(running)).toEqual({ status: 200, name: 'first' });
    expect(JSON.stringify(kept.lines)).not.toContain('canary');
    at = kept.lines.length;
    write(await issued('third'));
    await kept.said(inUse, at);
    expect(await ask(running)).toEqual({ status: 200, name: 'third' });
  },
);

it('over TLS too, connections without a handshake do not take the places of a page', async () => {
  write(await issued('edge'));
  const running = await start();
  const idle = Array.from({ length: 400 }, () =>
    connect(Number(new URL(running.address).port), '127.0.0.1')
      .on('error', () => undefined)
      .resume(),
  );
  await Promise.all(idle.map((socket) => new Promise((resolve) => socket.once('connect', resolve))));
  expect(await ask(running)).toEqual({ status: 200, name: 'edge' });
  for (const socket of idle) socket.destroy();
});

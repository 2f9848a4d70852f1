import { spawn } from 'node:child_process';
import { chmodSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { connect, createServer, type AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { freePort } from '@callpass/testkit/free-port';
import { keep } from './canary/keep.ts';
import { ended, ENVIRONMENT, outputOf, ROOT } from './processes.ts';

/** A running NGINX. */
export interface NginxServer {
  readonly url: string;
  /** All that it has logged. */
  log(): string;
  stop(): Promise<void>;
}

/** Starts Debian's NGINX with `deploy/nginx/webrtc-gateway.conf`, in which only addresses, the certificate and paths are replaced. */
export async function startNginx(upstreams: {
  /** host:port of the edge. */
  readonly edge: string;
  /** host:port of the WebRTC gateway. */
  readonly gateway: string;
  /** Origin of the page that places calls. */
  readonly origin: string;
}): Promise<NginxServer> {
  const folder = mkdtempSync(join(tmpdir(), 'callpass-nginx-'));
  // Its worker may be another user.
  chmodSync(folder, 0o711);
  const address = `127.0.0.1:${await freePort()}`;
  const logs = ['access.log', 'error.log'].map((name) => join(folder, name));
  const replaced = (text: string, from: string | RegExp, to: string) => {
    if (text.search(from) < 0) throw new Error(`deploy/nginx no longer has ${String(from)}`);
    return text.replace(from, to);
  };
  const replacements: readonly (readonly [string | RegExp, string])[] = [
    ['10.0.0.8:8080', upstreams.edge],
    ['10.0.0.9:8580', upstreams.gateway],
    ['https://www.example.org', upstreams.origin],
    ['listen 443 ssl', `listen ${address}`],
    [/ssl_certificate .*\n/, ''],
    [/ssl_certificate_key .*\n/, ''],
    ['/var/log/nginx/webrtc-gateway.log', logs[0] ?? ''],
  ];
  const server = replacements.reduce(
    (text, [from, to]) => replaced(text, from, to),
    readFileSync(join(ROOT, 'deploy/nginx/webrtc-gateway.conf'), 'utf8'),
  );
  const temporary = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi']
    .map((kind) => `${kind}_temp_path ${join(folder, kind)};`)
    .join('\n');
  const file = join(folder, 'nginx.conf');
  writeFileSync(
    file,
    `daemon off;
worker_processes 1;
error_log ${logs[1]} info;
pid ${join(folder, 'nginx.pid')};
events {}
http {
${temporary}
${server}
}
`,
  );
  const child = spawn('nginx', ['-p', folder, '-c', file], {
    // Debian has it where only root looks.
    env: { ...ENVIRONMENT, PATH: `${ENVIRONMENT['PATH']}:/usr/sbin` },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const output = outputOf(child, 'nginx');
  const log = () => logs.map((name) => readFileSync(name, 'utf8')).join('');
  for (;;) {
    if (child.exitCode !== null) throw new Error(`nginx ended: ${output()}`);
    if (await accepts(address)) break;
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
  return {
    url: `http://${address}`,
    log,
    async stop() {
      child.kill('SIGQUIT');
      await ended(child);
      keep('nginx.txt', log());
      rmSync(folder, { recursive: true });
    },
  };
}

function accepts(address: string): Promise<boolean> {
  const [host, port] = address.split(':');
  return new Promise((resolve) => {
    const socket = connect(Number(port), host, () => {
      socket.destroy();
      resolve(true);
    });
    socket.once('error', () => resolve(false));
  });
}

/** Passes connections on to an address, and keeps the first line and the headers of each request of HTTP that goes through. */
export async function startRelay(target: string): Promise<{
  readonly address: string;
  readonly requests: string[];
  /** Lines of headers, in the order of `requests`. */
  readonly headers: (readonly string[])[];
  close(): void;
}> {
  const requests: string[] = [];
  const headers: (readonly string[])[] = [];
  const [host, port] = target.split(':');
  const sockets = new Set<{ destroy(): unknown }>();
  const server = createServer((socket) => {
    const upstream = connect(Number(port), host);
    for (const end of [socket, upstream]) {
      sockets.add(end);
      end.on('error', () => end.destroy());
    }
    socket.on('data', (chunk) => {
      const [head = ''] = chunk.toString('latin1').split('\r\n\r\n');
      const [line = '', ...lines] = head.split('\r\n');
      if (!/^[A-Z]+ \/\S* HTTP\/1\.1$/.test(line)) return;
      requests.push(line);
      headers.push(lines);
    });
    socket.pipe(upstream).pipe(socket);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    address: `127.0.0.1:${(server.address() as AddressInfo).port}`,
    requests,
    headers,
    close() {
      for (const socket of sockets) socket.destroy();
      server.close();
    },
  };
}

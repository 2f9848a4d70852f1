import { createSecureServer, createServer, type Http2Server } from 'node:http2';
import type { AddressInfo } from 'node:net';
import { createAuthority } from '@callpass/dev-certificates';

/** Kinds of HTTP/2 servers with a name each, for tests that hold for both. */
export const HTTP2_SERVERS: readonly (readonly [how: string, create: () => Promise<Http2Server>])[] = [
  ['in plain text', async () => createServer()],
  [
    'with TLS',
    async () => {
      const authority = await createAuthority();
      return createSecureServer(await authority.issue({ names: ['localhost'], use: 'server' }));
    },
  ],
];

/** Binds a server to a free port of the loopback. Resolves with its URL. */
export async function listenOnLoopback(server: Http2Server): Promise<string> {
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const scheme = 'setSecureContext' in server ? 'https' : 'http';
  return `${scheme}://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

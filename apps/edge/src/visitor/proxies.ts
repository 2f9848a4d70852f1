import type { IncomingMessage } from 'node:http';
import type { TLSSocket } from 'node:tls';
import proxyAddr from '@fastify/proxy-addr';

/** Reads the address and scheme of a request. Headers count only where a listed proxy has sent them. */
export interface Proxies {
  /** Checks if the other end of the connection is a listed proxy. */
  sentBy(request: IncomingMessage): boolean;
  /** The address of the first hop, seen from here, that is no listed proxy. */
  addressOf(request: IncomingMessage): string;
  /** Reads the scheme that the browser used. */
  schemeOf(request: IncomingMessage): 'http' | 'https';
}

const UNKNOWN_ADDRESS = '0.0.0.0';

/**
 * Proxies by address, by CIDR range, or by the names `loopback`, `linklocal` and `uniquelocal`. None listed: no forwarded
 * header is believed. Throws TypeError on what is no address.
 */
export function createProxies(listed: readonly string[]): Proxies {
  const isListed = proxyAddr.compile([...listed]);
  const sentBy = ({ socket }: IncomingMessage) => isListed(socket.remoteAddress ?? UNKNOWN_ADDRESS, 0);
  return {
    sentBy,
    addressOf: (request) =>
      sentBy(request) ? proxyAddr(request, isListed) : (request.socket.remoteAddress ?? UNKNOWN_ADDRESS),
    schemeOf(request) {
      if (sentBy(request)) {
        // The last one is the listed proxy's own word; those before it may be anybody's.
        const forwarded = String(request.headers['x-forwarded-proto'] ?? '')
          .split(',')
          .at(-1)
          ?.trim();
        if (forwarded === 'http' || forwarded === 'https') return forwarded;
      }
      return (request.socket as TLSSocket).encrypted ? 'https' : 'http';
    },
  };
}

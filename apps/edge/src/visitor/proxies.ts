import type { IncomingMessage } from 'node:http';
import type { TLSSocket } from 'node:tls';
import proxyAddr from '@fastify/proxy-addr';
import { parseAddress } from './address.ts';

/** Reads the address and scheme of a request. Headers count only where a listed proxy has sent them. */
export interface Proxies {
  /** Checks if the other end of the connection is a listed proxy. */
  sentBy(request: Pick<IncomingMessage, 'socket'>): boolean;
  /**
   * The address of the first hop, seen from here, that is no listed proxy, in its one form (`parseAddress`). A hop that its
   * proxy does not name by an address counts as that proxy.
   */
  addressOf(request: IncomingMessage): string;
  /** Reads the scheme that the browser used. */
  schemeOf(request: IncomingMessage): 'http' | 'https';
}

const UNKNOWN_ADDRESS = '0.0.0.0';

/**
 * Proxies by address, by CIDR range, or by the names `loopback`, `linklocal` and `uniquelocal`. None listed: no forwarded
 * header is believed. `setting` is their name in the text of the TypeError for what is no address.
 */
export function createProxies(listed: readonly string[], setting = 'trustedProxies'): Proxies {
  listed.forEach((entry, index) => assertProxy(entry, `${setting}[${index}]`));
  const isListed = proxyAddr.compile([...listed]);
  const peerOf = ({ socket }: Pick<IncomingMessage, 'socket'>) =>
    parseAddress(socket.remoteAddress ?? '') ?? UNKNOWN_ADDRESS;
  const sentBy = (request: Pick<IncomingMessage, 'socket'>) =>
    listed.length > 0 && isListed(peerOf(request), 0);
  return {
    sentBy,
    addressOf(request) {
      let address = peerOf(request);
      if (listed.length === 0 || !isListed(address, 0)) return address;
      for (const hop of lastToFirst(request.headers['x-forwarded-for'])) {
        const next = parseAddress(hop);
        if (next === undefined) return address;
        address = next;
        if (!isListed(address, 0)) return address;
      }
      return address;
    },
    schemeOf(request) {
      if (sentBy(request)) {
        // The last one is the listed proxy's own word; those before it may be anybody's.
        const [forwarded] = lastToFirst(request.headers['x-forwarded-proto']);
        const scheme = forwarded?.toLowerCase();
        if (scheme === 'http' || scheme === 'https') return scheme;
      }
      return (request.socket as TLSSocket).encrypted ? 'https' : 'http';
    },
  };
}

function assertProxy(entry: string, place: string): void {
  try {
    proxyAddr.compile([entry]);
  } catch {
    throw new TypeError(
      `${place}: ${JSON.stringify(entry.slice(0, 64))} is none; expected an address, a range such as 10.0.0.0/8, ` +
        'or loopback, linklocal or uniquelocal',
    );
  }
}

/** Members of a list header, the last one first; empty ones are none (RFC 9110, 5.6.1). */
function* lastToFirst(header: string | string[] | undefined): Generator<string> {
  const list = String(header ?? '');
  for (let end = list.length; end >= 0;) {
    const comma = end === 0 ? -1 : list.lastIndexOf(',', end - 1);
    const member = list.slice(comma + 1, end).trim();
    if (member !== '') yield member;
    end = comma;
  }
}

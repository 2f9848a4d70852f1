import { isIP } from 'node:net';

/**
 * Whom a connection's address stands for: an IPv4 address, also as IPv6 writes it, or the 64 bits of an IPv6 address that
 * one holder has all of.
 */
export function peerOf(address: string): string {
  const mapped = /^::ffff:(\d+\.\d+\.\d+\.\d+)$/i.exec(address);
  if (mapped !== null) return mapped[1] as string;
  if (!address.includes(':')) return address;
  const [head = '', tail] = address.split('%')[0]?.split('::') ?? [];
  const groups = head === '' ? [] : head.split(':');
  if (tail !== undefined) {
    const last = tail === '' ? [] : tail.split(':');
    while (groups.length + last.length < 8) groups.push('0');
  }
  return `${groups.slice(0, 4).join(':')}::/64`;
}

/** The peer of a call, which grpc-js names with its port: `10.1.2.3:5000`, `::1:5000` or `[::1]:5000`. */
export function peerOfCall(peer: string): string {
  const host = peer.replace(/:\d+$/, '').replace(/^\[(.*)\]$/, '$1');
  return isIP(host) === 0 ? host : peerOf(host);
}

import { BlockList, isIP } from 'node:net';

const LOOPBACK = new BlockList();
LOOPBACK.addSubnet('127.0.0.0', 8, 'ipv4');
LOOPBACK.addAddress('::1', 'ipv6');

/**
 * Tells a host that reaches only this machine: `localhost`, or an address of the loopback; IPv6 with or without brackets.
 * Another name may resolve to anything, so it does not count.
 */
export function isLoopbackHost(text: string): boolean {
  const host = text.replace(/^\[(.*)\]$/, '$1');
  if (host.toLowerCase() === 'localhost') return true;
  const family = isIP(host);
  return family !== 0 && LOOPBACK.check(host, family === 4 ? 'ipv4' : 'ipv6');
}

import { isIP } from 'node:net';
import { isLoopbackHost } from '@callpass/grpc-kit';

/**
 * Tells a target of gRPC that stays on this machine: `localhost`, an address of the loopback, a Unix socket. Another name
 * may resolve to anything, so it does not count.
 */
export function isLoopback(target: string): boolean {
  if (/^unix(-abstract)?:/i.test(target)) return true;
  return hostsOf(target).every(isLoopbackHost);
}

/** The names or addresses in a target of gRPC, without their ports. */
export function hostsOf(target: string): string[] {
  return target
    .replace(/^(dns:\/\/\/|dns:(?!\/)|ipv[46]:)/i, '')
    .split(',')
    .map(hostOf);
}

function hostOf(address: string): string {
  const bracketed = /^\[([^\]]*)\](?::\d+)?$/.exec(address);
  if (bracketed) return bracketed[1] ?? '';
  return isIP(address) === 6 ? address : address.replace(/:\d+$/, '');
}

import { isIP } from 'node:net';
import { isLoopbackHost } from '@callpass/grpc-kit/client';

/**
 * Checks that a gRPC target stays on this machine: `localhost`, a loopback address or a Unix socket. Another name may resolve
 * to any address, so it is not loopback.
 *
 * @example
 * ```ts
 * isLoopback('127.0.0.1:50051'); // true
 * isLoopback('dns:///callpass.example:7443'); // false
 * ```
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

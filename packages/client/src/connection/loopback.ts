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

/** Throws TypeError on a target without a name, or with a port that is none. The path of a Unix socket is free. */
export function assertTarget(target: string): void {
  if (/^(unix(-abstract)?|xds):/i.test(target)) return;
  if (hostsOf(target).some((host) => host === ''))
    throw new TypeError('the address has no host; give host:port');
  const ports = target.split(',').flatMap((part) => /:(\d+)$/.exec(part.replace(/^.*[\]/]/, ''))?.[1] ?? []);
  const wrong = ports.find((port) => Number(port) < 1 || Number(port) > 65_535);
  if (wrong !== undefined && isIP(target) === 0)
    throw new TypeError(`${wrong.slice(0, 16)} is no port; give host:port with a port from 1 to 65535`);
}

function hostOf(address: string): string {
  const bracketed = /^\[([^\]]*)\](?::\d+)?$/.exec(address);
  if (bracketed) return bracketed[1] ?? '';
  return isIP(address) === 6 ? address : address.replace(/:\d+$/, '');
}

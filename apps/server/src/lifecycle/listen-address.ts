import { BlockList, isIP } from 'node:net';
import { SettingsError } from '../settings/load.ts';

const LOOPBACK = new BlockList();
LOOPBACK.addSubnet('127.0.0.0', 8, 'ipv4');
LOOPBACK.addAddress('::1', 'ipv6');

/** Whether an address reaches only this machine. A name other than `localhost` may resolve to anything, so it does not. */
export function isLoopback(address: string): boolean {
  const host = address.slice(0, address.lastIndexOf(':')).replace(/^\[(.*)\]$/, '$1');
  if (host === 'localhost') return true;
  const family = isIP(host);
  return family !== 0 && LOOPBACK.check(host, family === 4 ? 'ipv4' : 'ipv6');
}

/** Throws SettingsError unless plain text on this address stays on this machine. */
export function assertPlaintextAllowed(address: string): void {
  if (isLoopback(address)) return;
  throw new SettingsError([
    `listen.address: ${address} is not a loopback address; without TLS, credentials and keys would cross the network in clear`,
  ]);
}

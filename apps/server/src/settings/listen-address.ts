import { isLoopbackHost } from '@callpass/grpc-kit';
import { splitHostAndPort } from '@callpass/program';
import { SettingsError } from './load.ts';
import type { Settings } from './schema.ts';

/** Tells an address, `host:port`, that reaches only this machine. */
export function isLoopback(address: string): boolean {
  return isLoopbackHost(splitHostAndPort(address).host);
}

/**
 * Throws SettingsError unless what crosses the network is encrypted. Plain text beyond this machine has to be said twice, and
 * the second time by naming what encrypts instead: a switch alone is copied from somewhere without a thought.
 */
export function assertTransportSafe({
  listen,
  tls,
  access,
}: Pick<Settings, 'listen' | 'tls' | 'access'>): void {
  const { address, allowPlaintext, plaintextEncryptedBy } = listen;
  const plaintext = tls.certFile === undefined;
  if (access.local !== 'none' && !(plaintext && isLoopback(address))) {
    throw new SettingsError([
      'access.local: is for plain text on a loopback address; everybody who can connect would be let in',
    ]);
  }
  if (!plaintext || isLoopback(address)) return;
  if (!allowPlaintext) {
    throw new SettingsError([
      `listen.address: ${address} is not a loopback address; without TLS (tls.certFile), credentials and keys would cross the network in clear`,
    ]);
  }
  if (plaintextEncryptedBy === undefined) {
    throw new SettingsError([
      'listen.plaintextEncryptedBy: is needed with listen.allowPlaintext: name what encrypts instead, for example the mesh',
    ]);
  }
}

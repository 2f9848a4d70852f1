import type { Cipher } from '@callpass/token-core';
import { isWildcard } from '../moderation/addresses.ts';
import { limitGap } from '../moderation/limit-scopes.ts';
import type { Client, Configuration, Destination, Realm } from './configuration.ts';
import { quote } from './problem.ts';

/** Warnings about a valid configuration: one sentence each, in document order. */
export function warnings(configuration: Configuration): string[] {
  return [
    ...configuration.realms.flatMap(realmWarnings),
    ...configuration.destinations.flatMap(destinationWarnings),
    ...configuration.clients.flatMap(clientWarnings),
  ];
}

const CIPHER_WARNINGS: Readonly<Record<Cipher, string | undefined>> = {
  AES_128_ECB: 'AES_128_ECB tokens can be spliced; validate with require_issued_here',
  AES_256_CBC_HMAC_SHA256: undefined,
};

function realmWarnings({ name, cipher }: Realm): string[] {
  const warning = CIPHER_WARNINGS[cipher];
  return warning === undefined ? [] : [`realm ${quote(name)}: ${warning}`];
}

function destinationWarnings(destination: Destination): string[] {
  const { id, realm, callers, limits } = destination;
  const found: string[] = [];
  if (realm === undefined) {
    found.push('calls are unrestricted; the gateway verifies nothing');
  }
  if (callers.some(isWildcard)) {
    found.push('callers hold a wildcard; a from token for an address is also a to token for it');
  }
  for (const scope of new Set(limits.map(({ per }) => per))) {
    const gap = limitGap(scope, destination);
    if (gap?.requests === 'SOME') found.push(gap.text);
  }
  return found.map((warning) => `destination ${quote(id)}: ${warning}`);
}

function clientWarnings({ name, grants }: Client): string[] {
  return grants.length === 0 ? [`client ${quote(name)}: has no grants and may do nothing`] : [];
}

import { isWildcard } from '../moderation/addresses.ts';
import type { Client, Configuration, Destination, Realm } from './configuration.ts';
import { quote } from './problem.ts';

/** What an operator should know about a configuration that holds: one sentence each, in document order. */
export function warnings(configuration: Configuration): string[] {
  return [
    ...configuration.realms.flatMap(realmWarnings),
    ...configuration.destinations.flatMap(destinationWarnings),
    ...configuration.clients.flatMap(clientWarnings),
  ];
}

function realmWarnings({ name, cipher }: Realm): string[] {
  if (cipher !== 'AES_128_ECB') return [];
  return [`realm ${quote(name)}: AES_128_ECB tokens can be spliced; validate with require_issued_here`];
}

function destinationWarnings({ id, realm, callers, limits, requireSubject }: Destination): string[] {
  const found: string[] = [];
  if (realm === undefined) {
    found.push('calls are unrestricted; the gateway verifies nothing');
  }
  if (callers.some(isWildcard)) {
    found.push('callers hold a wildcard; a from token for an address is also a to token for it');
  }
  if (!requireSubject && limits.some((limit) => limit.per === 'SUBJECT')) {
    found.push('limits per SUBJECT do not count visitors who are not named; set requireSubject');
  }
  return found.map((warning) => `destination ${quote(id)}: ${warning}`);
}

function clientWarnings({ name, grants }: Client): string[] {
  return grants.length === 0 ? [`client ${quote(name)}: has no grants and may do nothing`] : [];
}

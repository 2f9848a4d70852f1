import { checkClients } from './check-clients.ts';
import { checkDestination } from './check-destination.ts';
import type { Configuration, Realm } from './configuration.ts';
import { indexNames, type Problem, type Report } from './problem.ts';

/**
 * Everything in a configuration that does not hold; empty when it may be applied. Field rules of the contract (lengths,
 * patterns, counts) are checked before and only repeated where moderation relies on them. Takes time in proportion to
 * the configuration: 200,000 destinations in about a second.
 */
export function checkConfiguration(configuration: Configuration): Problem[] {
  const problems: Problem[] = [];
  const report: Report = (path, message) => problems.push({ path, message });
  const { realms, destinations, clients } = configuration;

  const realmNames = indexNames(realms, (realm) => realm.name, {
    at: (index) => `realms[${index}].name`,
    report,
  });
  const destinationIds = indexNames(destinations, (destination) => destination.id, {
    at: (index) => `destinations[${index}].id`,
    report,
  });
  realms.forEach((realm, index) => checkRealm(realm, `realms[${index}]`, report));
  destinations.forEach((destination, index) => {
    checkDestination(destination, { path: `destinations[${index}]`, realmNames, report });
  });
  checkClients(clients, { destinationIds, realmNames, report });
  return problems;
}

function checkRealm(realm: Realm, path: string, report: Report): void {
  if (!(realm.tokenLifetimeMs > 0)) report(`${path}.tokenLifetime`, 'must be longer than zero');
  if (!(realm.maxClockSkewMs >= 0)) report(`${path}.maxClockSkew`, 'must not be less than zero');
}

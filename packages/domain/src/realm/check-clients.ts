import type { Client, Grant } from './configuration.ts';
import { identityKey } from './identity-key.ts';
import { indexNames, quote, type KnownNames, type Report } from './problem.ts';

/** Names that the clients of a configuration may refer to. */
export interface ClientsContext {
  readonly destinationIds: KnownNames;
  readonly realmNames: KnownNames;
  readonly report: Report;
}

/** Names everything, in place of a list. */
const ALL = '*';

/** Reports everything in the clients of a configuration that does not hold. */
export function checkClients(clients: readonly Client[], context: ClientsContext): void {
  const { report } = context;
  indexNames(clients, (client) => client.name, { at: (index) => `clients[${index}].name`, report });
  checkIdentities(clients, report);
  clients.forEach((client, clientIndex) => {
    client.grants.forEach((grant, index) =>
      checkGrant(grant, `clients[${clientIndex}].grants[${index}]`, context),
    );
  });
}

function checkIdentities(clients: readonly Client[], report: Report): void {
  const owners = new Map<string, number>();
  clients.forEach((client, clientIndex) => {
    client.identities.forEach((identity, index) => {
      const key = identityKey(identity);
      const owner = owners.get(key);
      if (owner === undefined) {
        owners.set(key, clientIndex);
      } else if (owner !== clientIndex) {
        const path = `clients[${clientIndex}].identities[${index}]`;
        report(path, `clients[${owner}] has the same identity; it must name one client only`);
      }
    });
  });
}

function checkGrant(
  grant: Grant,
  path: string,
  { destinationIds, realmNames, report }: ClientsContext,
): void {
  const destinations = { names: grant.destinations, path: `${path}.destinations`, report };
  const realms = { names: grant.realms, path: `${path}.realms`, report };
  switch (grant.role) {
    case 'ISSUER':
      requireNames({ ...destinations, known: destinationIds, what: 'destination' });
      refuseNames(realms, 'ISSUER holds for destinations; leave the realms out');
      return;
    case 'VALIDATOR':
      requireNames({ ...realms, known: realmNames, what: 'realm' });
      refuseNames(destinations, 'VALIDATOR holds for realms; leave the destinations out');
      return;
    case 'OPERATOR':
    case 'AUDITOR':
      refuseNames(destinations, `${grant.role} holds for everything; leave the destinations out`);
      refuseNames(realms, `${grant.role} holds for everything; leave the realms out`);
  }
}

interface Names {
  readonly names: readonly string[];
  readonly path: string;
  readonly report: Report;
}

function requireNames(list: Names & { known: KnownNames; what: string }): void {
  const { names, path, report, known, what } = list;
  if (names.length === 0) report(path, `the grant allows nothing; name each ${what}, or "*" for all`);
  names.forEach((name, index) => {
    if (name === ALL) {
      if (names.length > 1)
        report(`${path}[${index}]`, '"*" names all and stands alone; leave the others out');
    } else if (!known.has(name)) {
      report(`${path}[${index}]`, `there is no ${what} named ${quote(name)}`);
    }
  });
}

function refuseNames({ names, path, report }: Names, message: string): void {
  if (names.length > 0) report(path, message);
}

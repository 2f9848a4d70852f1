import { timingSafeEqual } from 'node:crypto';
import { grantedScope, identityKey, NOWHERE, type Client, type Identity, type Role } from '@callpass/domain';
import type { Principal } from './principal.ts';

/** An operator whom the settings name, besides those of the configuration. */
export interface NamedOperator {
  /** Name in the ledger and traces. */
  readonly name: string;
  readonly identity: Identity;
}

/**
 * Principals by the identities that prove them. Made once for each configuration revision, so that a request only looks up.
 */
export interface ClientIndex {
  /** The client of an identity, as `identityKey` writes it. */
  find(key: string): Principal | undefined;
  /** The client of a static token, by its SHA-256. The token itself is known to nobody but the client. */
  findToken(digest: Buffer): Principal | undefined;
}

const OPERATOR_ROLES: readonly Role[] = ['OPERATOR', 'AUDITOR'];

/**
 * Indexes the clients of a configuration and the operators of the settings. An identity that is both is the client of the
 * configuration, with the roles of an operator added.
 */
export function indexClients(
  clients: readonly Client[],
  operators: readonly NamedOperator[] = [],
): ClientIndex {
  const byIdentity = new Map<string, Principal>();
  for (const client of clients) {
    const principal = principalOf(client);
    for (const identity of client.identities) byIdentity.set(identityKey(identity), principal);
  }
  for (const { name, identity } of operators) {
    const key = identityKey(identity);
    const { roles = [], ...same } = byIdentity.get(key) ?? {
      client: name,
      destinations: NOWHERE,
      realms: NOWHERE,
    };
    byIdentity.set(key, { ...same, roles: new Set([...roles, ...OPERATOR_ROLES]) });
  }
  const tokens = indexTokens(byIdentity, [
    ...clients.flatMap(({ identities }) => identities),
    ...operators.map(({ identity }) => identity),
  ]);
  return {
    find: (key) => byIdentity.get(key),
    findToken: (digest) =>
      tokens.get(digest.readUInt32BE(0))?.find((known) => timingSafeEqual(known.digest, digest))?.principal,
  };
}

interface KnownToken {
  readonly digest: Buffer;
  readonly principal: Principal;
}

/** By the first bytes of the hash, so that the rest of it can be compared in constant time. */
function indexTokens(
  byIdentity: ReadonlyMap<string, Principal>,
  identities: readonly Identity[],
): ReadonlyMap<number, readonly KnownToken[]> {
  const tokens = new Map<number, KnownToken[]>();
  for (const identity of identities) {
    if (identity.kind !== 'tokenSha256') continue;
    const digest = Buffer.from(identity.value, 'hex');
    const principal = byIdentity.get(identityKey(identity)) as Principal;
    const start = digest.readUInt32BE(0);
    tokens.set(start, [...(tokens.get(start) ?? []), { digest, principal }]);
  }
  return tokens;
}

/** Principal of a client of a configuration. */
export function principalOf({ name, grants }: Client): Principal {
  return {
    client: name,
    roles: new Set(grants.map(({ role }) => role)),
    destinations: grantedScope(grants, 'ISSUER', 'destinations'),
    realms: grantedScope(grants, 'VALIDATOR', 'realms'),
  };
}

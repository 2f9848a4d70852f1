import type { Cipher, TimestampUnit } from '@callpass/token-core';

/** An authentication schema of the vendor's portal, without its keys. */
export interface Realm {
  readonly name: string;
  readonly cipher: Cipher;
  readonly tokenLifetimeMs: number;
  readonly maxClockSkewMs: number;
  readonly timestampUnit: TimestampUnit;
}

/** Opening hours as the operator wrote them; `compileHours` gives them meaning. */
export interface Hours {
  /** IANA name of the zone. */
  readonly timeZone: string;
  /** Weekly windows such as `Mon-Fri 08:00-18:00`. */
  readonly open: readonly string[];
  /** Local dates `YYYY-MM-DD` on which the line stays closed. */
  readonly closedDates: readonly string[];
}

/** Subject that a limit is counted by. */
export type LimitScope = 'SUBJECT' | 'CLIENT' | 'DESTINATION' | 'REALM' | 'OVERALL';

/** Treatment of a request whose limit cannot be counted: refused, or granted without being counted. */
export type LimitFallback = 'REFUSE' | 'ALLOW';

/** At most `max` credentials in a window of `windowMs`. */
export interface Limit {
  readonly per: LimitScope;
  readonly max: number;
  readonly windowMs: number;
  /** Counted and reported, never enforced. */
  readonly shadow: boolean;
  readonly whenUnavailable: LimitFallback;
}

/** A support line that visitors may call. */
export interface Destination {
  readonly id: string;
  /** The realm whose key encrypts the tokens; `undefined` for unrestricted calls. */
  readonly realm: string | undefined;
  /** `user@domain`; the default caller. */
  readonly account: string;
  /** Addresses or `*@domain`; the first is the default. Never empty. */
  readonly callees: readonly string[];
  /** Addresses or `*@domain` besides the account. */
  readonly callers: readonly string[];
  readonly enabled: boolean;
  readonly requireSubject: boolean;
  readonly hours: Hours | undefined;
  readonly limits: readonly Limit[];
}

/** One proof of who a client is. */
export type Identity =
  | { readonly kind: 'spiffeId' | 'dnsName' | 'commonName' | 'tokenSha256'; readonly value: string }
  | { readonly kind: 'jwt'; readonly issuer: string; readonly subject: string };

/** Role of a client: what it may do. */
export type Role = 'ISSUER' | 'VALIDATOR' | 'OPERATOR' | 'AUDITOR';

/** A role and where it holds; `*` names everything. */
export interface Grant {
  readonly role: Role;
  readonly destinations: readonly string[];
  readonly realms: readonly string[];
}

/** An internal service that may ask. */
export interface Client {
  readonly name: string;
  readonly identities: readonly Identity[];
  readonly grants: readonly Grant[];
}

/** Everything an operator decides, applied as a whole. */
export interface Configuration {
  readonly realms: readonly Realm[];
  readonly destinations: readonly Destination[];
  readonly clients: readonly Client[];
}

/** The configuration before the first revision: nothing is allowed. */
export const EMPTY_CONFIGURATION: Configuration = Object.freeze({
  realms: [],
  destinations: [],
  clients: [],
});

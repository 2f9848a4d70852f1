import type { Duration } from '@bufbuild/protobuf/wkt';
import {
  CallMode,
  Cipher,
  LimitFallback,
  LimitScope,
  Role,
  TimestampUnit,
  enumNames,
  type Client as ClientMessage,
  type Configuration as ConfigurationMessage,
  type Destination as DestinationMessage,
  type Identity as IdentityMessage,
  type Realm as RealmMessage,
} from '@callpass/contract';
import type * as domain from '@callpass/domain';

const cipherOf = enumNames(Cipher);
const unitOf = enumNames(TimestampUnit);
// The other way round: a name that only the domain has is a type error here.
const scopeOf = enumNames(LimitScope satisfies Readonly<Record<domain.LimitScope, number>>);
const fallbackOf = enumNames(LimitFallback satisfies Readonly<Record<domain.LimitFallback, number>>);
const roleOf = enumNames(Role satisfies Readonly<Record<domain.Role, number>>);

const DEFAULT_CLOCK_SKEW_MS = 30_000;

/** A problem that the message has but the domain's types cannot: found while reading it. */
export interface ModeProblem {
  readonly path: string;
  readonly message: string;
}

/** Contradictions between a destination's mode and its realm. */
export function modeProblems(message: ConfigurationMessage): ModeProblem[] {
  return message.destinations.flatMap((destination, index) => {
    const path = `destinations[${index}].realm`;
    if (destination.mode === CallMode.UNRESTRICTED) {
      return destination.realm === '' ? [] : [{ path, message: 'must be left out with mode UNRESTRICTED' }];
    }
    return destination.realm === '' ? [{ path, message: 'is needed, unless mode is UNRESTRICTED' }] : [];
  });
}

/** The configuration in the domain's terms, with defaults filled in. The message has passed its field rules. */
export function configurationFromMessage(message: ConfigurationMessage): domain.Configuration {
  return {
    realms: message.realms.map(realm),
    destinations: message.destinations.map(destination),
    clients: message.clients.map(client),
  };
}

function realm(message: RealmMessage): domain.Realm {
  return {
    name: message.name,
    cipher: cipherOf(message.cipher),
    tokenLifetimeMs: milliseconds(message.tokenLifetime),
    maxClockSkewMs: message.maxClockSkew ? milliseconds(message.maxClockSkew) : DEFAULT_CLOCK_SKEW_MS,
    timestampUnit: unitOf(message.timestampUnit || TimestampUnit.MILLISECONDS),
  };
}

function destination(message: DestinationMessage): domain.Destination {
  return {
    id: message.id,
    realm: message.mode === CallMode.UNRESTRICTED ? undefined : message.realm,
    account: message.account,
    callees: message.callees,
    callers: message.callers,
    enabled: message.enabled ?? true,
    requireSubject: message.requireSubject,
    hours: message.hours,
    limits: message.limits.map((limit) => ({
      per: scopeOf(limit.per),
      max: limit.max,
      windowMs: milliseconds(limit.window),
      shadow: limit.shadow,
      whenUnavailable: fallbackOf(limit.whenUnavailable || LimitFallback.REFUSE),
    })),
  };
}

function client(message: ClientMessage): domain.Client {
  return {
    name: message.name,
    identities: message.identities.flatMap(identity),
    grants: message.grants.map((grant) => ({
      role: roleOf(grant.role),
      destinations: grant.destinations,
      realms: grant.realms,
    })),
  };
}

function identity({ kind }: IdentityMessage): domain.Identity[] {
  if (kind.case === undefined) return [];
  if (kind.case === 'jwt') return [{ kind: 'jwt', issuer: kind.value.issuer, subject: kind.value.subject }];
  return [{ kind: kind.case, value: kind.value }];
}

function milliseconds(duration: Duration | undefined): number {
  return duration ? Number(duration.seconds) * 1000 + Math.round(duration.nanos / 1_000_000) : 0;
}

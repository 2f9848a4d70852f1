import type { Store } from '@callpass/domain';
import type { ServerCall, ServerInterceptor } from '@callpass/grpc-kit';
import { describeFault } from '@callpass/program';
import type { Logger } from '@callpass/program/log';
import type { RefusalRecords } from '../errors/refusal-records.ts';
import { METHODS } from '../methods.ts';
import { SettingsError } from '../settings/load.ts';
import type { Settings } from '../settings/schema.ts';
import type { Principal } from '../state/principal.ts';
import type { Snapshot } from '../state/snapshot.ts';
import { createAuthenticate } from './authenticate.ts';
import { AuthenticationRefusal } from './fault.ts';
import { identify, RECOGNISED } from './identify.ts';
import { createJwtVerifier, type JwtIssuer, type JwtVerifier } from './jwt.ts';
import { fileKeySet, remoteKeySet, type KeySet } from './key-set.ts';
import { RefusedAuthentications } from './refused-authentications.ts';

/** Authentication and authorization of a running server. */
export interface RunningIdentity {
  /** Recognises the client of a call and checks its role. */
  readonly interceptor: ServerInterceptor;
  /**
   * Recognises the client of a call if that needs no verification, so that it is cheap before admission: not for a JWT that is
   * new. {@link RunningIdentity.interceptor} uses the result.
   */
  recognises(call: ServerCall): boolean;
  /** Stops following keys and records what was only counted. Before the store closes. */
  stop(): Promise<void>;
}

/** The keys in a file. Throws SettingsError when they cannot be used. */
export function openKeyFile(name: string, log: Logger): KeySet {
  try {
    return fileKeySet(name, log);
  } catch (error) {
    throw new SettingsError([`identity.jwt: ${name}: ${describeFault(error)}`]);
  }
}

/** Sets up identity by the settings. Throws SettingsError when a file of keys cannot be used. */
export function openIdentity(
  settings: Pick<Settings, 'access' | 'identity'>,
  dependencies: {
    readonly state: { readonly snapshot: Snapshot };
    readonly store: Pick<Store, 'record'>;
    readonly clock: { now(): number };
    readonly refusals: Pick<RefusalRecords, 'record'>;
    readonly log: Logger;
  },
): RunningIdentity {
  const issuers = settings.identity.jwt.map(({ jwksUrl, jwksFile, ...issuer }): JwtIssuer => ({
    ...issuer,
    keys:
      jwksFile === undefined
        ? remoteKeySet(String(jwksUrl), dependencies.log, dependencies.clock)
        : openKeyFile(jwksFile, dependencies.log),
  }));
  const refused = new RefusedAuthentications(dependencies);
  const jwt = createJwtVerifier(issuers, dependencies.clock);
  const trustLocal = settings.access.local === 'everything';
  const authenticate = createAuthenticate({ ...dependencies, jwt, trustLocal });
  const recognise = createAuthenticate({ ...dependencies, jwt: { verify: recalling(jwt) }, trustLocal });
  return {
    interceptor: identify({ ...dependencies, authenticate, refused, methods: METHODS }),
    recognises(call) {
      try {
        call.state.set(RECOGNISED, recognise(call) as Principal);
        return true;
      } catch {
        // It is refused for this, with its reason, where it is authenticated.
        return false;
      }
    },
    async stop() {
      for (const { keys } of issuers) keys.stop();
      await refused.flush();
    },
  };
}

/** Verifies only what was verified before. */
function recalling(jwt: JwtVerifier): JwtVerifier['verify'] {
  return (_token, digest) => {
    const claims = jwt.recall(digest);
    if (claims === undefined) throw new AuthenticationRefusal('UNKNOWN');
    return claims;
  };
}

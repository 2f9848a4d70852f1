import type { Store } from '@callpass/domain';
import type { ServerInterceptor } from '@callpass/grpc-kit';
import type { Logger } from '@callpass/program/log';
import type { RefusalRecords } from '../errors/refusal-records.ts';
import { METHODS } from '../methods.ts';
import { SettingsError } from '../settings/load.ts';
import type { Settings } from '../settings/schema.ts';
import type { Snapshot } from '../state/snapshot.ts';
import { createAuthenticate } from './authenticate.ts';
import { identify } from './identify.ts';
import { createJwtVerifier, type JwtIssuer } from './jwt.ts';
import { fileKeySet, remoteKeySet, type KeySet } from './key-set.ts';
import { RefusedAuthentications } from './refused-authentications.ts';

/** Authentication and authorization of a running server. */
export interface RunningIdentity {
  /** Recognises the client of a call and checks its role. */
  readonly interceptor: ServerInterceptor;
  /** Stops following keys and records what was only counted. Before the store closes. */
  stop(): Promise<void>;
}

/** The keys in a file. Throws SettingsError when they cannot be used. */
export function openKeyFile(name: string, log: Logger): KeySet {
  try {
    return fileKeySet(name, log);
  } catch (error) {
    throw new SettingsError([`identity.jwt: ${name}: ${(error as Error).message}`]);
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
  const authenticate = createAuthenticate({
    ...dependencies,
    jwt: createJwtVerifier(issuers, dependencies.clock),
    trustLocal: settings.access.local === 'everything',
  });
  return {
    interceptor: identify({ ...dependencies, authenticate, refused, methods: METHODS }),
    async stop() {
      for (const { keys } of issuers) keys.stop();
      await refused.flush();
    },
  };
}

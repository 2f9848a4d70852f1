import type { Store } from '@callpass/domain';
import type { ServerCall, ServerInterceptor } from '@callpass/grpc-kit';
import type { Logger } from '@callpass/program/log';
import type { RefusalRecords } from '../errors/refusal-records.ts';
import { METHODS } from '../methods.ts';
import type { Settings } from '../settings/schema.ts';
import type { Principal } from '../state/principal.ts';
import type { Snapshot } from '../state/snapshot.ts';
import { createAuthenticate } from './authenticate.ts';
import { AuthenticationRefusal } from './fault.ts';
import { identify, RECOGNISED } from './identify.ts';
import type { JwtVerifier } from './jwt.ts';
import type { OpenIssuers } from './open-issuers.ts';
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

/** Stand-in for issuers where the settings name none: the library of their tokens is not even loaded. */
const NO_ISSUERS: OpenIssuers = {
  verifier: {
    verify: () => {
      throw new AuthenticationRefusal('UNKNOWN');
    },
    recall: () => undefined,
  },
  stop: () => undefined,
};

/** Sets up identity by the settings. Throws SettingsError when a file of keys cannot be used. */
export async function openIdentity(
  settings: Pick<Settings, 'access' | 'identity'>,
  dependencies: {
    readonly state: { readonly snapshot: Snapshot };
    readonly store: Pick<Store, 'record'>;
    readonly clock: { now(): number };
    readonly refusals: Pick<RefusalRecords, 'record'>;
    readonly log: Logger;
  },
): Promise<RunningIdentity> {
  const { jwt: named } = settings.identity;
  const issuers =
    named.length === 0 ? NO_ISSUERS : (await import('./open-issuers.ts')).openIssuers(named, dependencies);
  const refused = new RefusedAuthentications(dependencies);
  const { verifier: jwt } = issuers;
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
      issuers.stop();
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

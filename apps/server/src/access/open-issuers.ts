import { describeFault } from '@callpass/program';
import type { Logger } from '@callpass/program/log';
import { SettingsError } from '../settings/load.ts';
import type { Settings } from '../settings/schema.ts';
import { createJwtVerifier, type JwtIssuer, type JwtVerifier } from './jwt.ts';
import { fileKeySet, remoteKeySet, type KeySet } from './key-set.ts';

/** Issuers of tokens, whose keys are followed. */
export interface OpenIssuers {
  readonly verifier: JwtVerifier;
  /** Stops following their keys. */
  stop(): void;
}

/** The keys in a file. Throws SettingsError when they cannot be used. */
export function openKeyFile(name: string, log: Logger): KeySet {
  try {
    return fileKeySet(name, log);
  } catch (error) {
    throw new SettingsError([`identity.jwt: ${name}: ${describeFault(error)}`]);
  }
}

/** Opens the issuers of the settings. Throws SettingsError when a file of keys cannot be used. */
export function openIssuers(
  settings: Settings['identity']['jwt'],
  { log, clock }: { readonly log: Logger; readonly clock: { now(): number } },
): OpenIssuers {
  const issuers: JwtIssuer[] = [];
  const stop = () => {
    for (const { keys } of issuers) keys.stop();
  };
  try {
    for (const { jwksUrl, jwksFile, ...issuer } of settings) {
      const keys =
        jwksFile === undefined ? remoteKeySet(String(jwksUrl), log, clock) : openKeyFile(jwksFile, log);
      issuers.push({ ...issuer, keys });
    }
  } catch (error) {
    stop();
    throw error;
  }
  return { verifier: createJwtVerifier(issuers, clock), stop };
}

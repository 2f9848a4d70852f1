import { hash } from 'node:crypto';
import { identityKey } from '@callpass/domain';
import type { GrpcServerCall } from '@callpass/grpc-kit';
import type { Metadata } from '@grpc/grpc-js';
import type { ClientIndex } from '../state/client-index.ts';
import { LOCAL_PRINCIPAL, type Principal } from '../state/principal.ts';
import { connectionOf, type ConnectionIdentity } from './connection-identity.ts';
import { AuthenticationRefusal } from './fault.ts';
import type { JwtClaims, JwtVerifier } from './jwt.ts';

/** The part of a call that authentication reads. */
export interface PresentedCall {
  readonly metadata: Metadata;
  readonly grpcCall: GrpcServerCall;
}

/** Ports that authentication needs. */
export interface AuthenticationDependencies {
  readonly state: { readonly snapshot: { readonly clients: ClientIndex } };
  readonly jwt: Pick<JwtVerifier, 'verify'>;
  readonly clock: { now(): number };
  /** Takes plain text with nothing presented for `local`; the settings allow that on loopback only. */
  readonly trustLocal: boolean;
}

/**
 * Recognises the client of a call, and needs no promise where nothing has to be verified anew.
 *
 * @throws {AuthenticationRefusal} when nobody is recognised, also when one of two proofs is no good.
 */
export type Authenticate = (call: PresentedCall) => Principal | Promise<Principal>;

/** A longer one is refused before anything looks at it. Tokens of real issuers stay below half of it. */
const MAX_TOKEN_CHARACTERS = 8192;
const BEARER = /^Bearer +([!-~]+)$/i;

/** Makes the function that recognises clients. */
export function createAuthenticate(dependencies: AuthenticationDependencies): Authenticate {
  const { state, jwt, clock, trustLocal } = dependencies;
  const recognise = (call: PresentedCall, identity: ConnectionIdentity) => {
    const { clients } = state.snapshot;
    const byCertificate = certificateClient(identity, clients, clock.now());
    const token = bearerToken(call.metadata);
    if (token === undefined) {
      if (byCertificate.principal !== undefined) return byCertificate.principal;
      if (byCertificate.kind === 'plaintext' && trustLocal) return LOCAL_PRINCIPAL;
      throw new AuthenticationRefusal(byCertificate.kind === 'certificate' ? 'UNKNOWN' : 'NOTHING_PRESENTED');
    }
    const digest = hash('sha256', token, 'buffer');
    const byToken = clients.findToken(digest);
    if (byToken !== undefined) return theSame(byCertificate.principal, byToken);
    const claims = jwt.verify(token, digest);
    return claims instanceof Promise
      ? claims.then((verified) =>
          theSame(byCertificate.principal, jwtClient(verified, state.snapshot.clients)),
        )
      : theSame(byCertificate.principal, jwtClient(claims, clients));
  };
  return (call) => {
    const connection = connectionOf(call.grpcCall);
    const principal = recognise(call, connection.identity);
    if (!(principal instanceof Promise)) {
      connection.isRecognised = true;
      return principal;
    }
    return principal.then((recognised) => {
      connection.isRecognised = true;
      return recognised;
    });
  };
}

function certificateClient(
  identity: ConnectionIdentity,
  clients: ClientIndex,
  nowMs: number,
): { kind: 'plaintext' | 'nothing' | 'certificate'; principal: Principal | undefined } {
  switch (identity.kind) {
    case 'plaintext':
    case 'nothing':
      return { kind: identity.kind, principal: undefined };
    case 'untrusted':
      throw new AuthenticationRefusal('CERTIFICATE_UNTRUSTED');
    case 'notValidNow':
      throw new AuthenticationRefusal('CERTIFICATE_NOT_VALID_NOW');
    case 'certificate': {
      // A connection may outlive the certificate that it was made with.
      if (nowMs > identity.notAfterMs) throw new AuthenticationRefusal('CERTIFICATE_NOT_VALID_NOW');
      let principal: Principal | undefined;
      for (const key of identity.keys) {
        const found = clients.find(key);
        if (found === undefined) continue;
        if (principal !== undefined && principal.client !== found.client)
          throw new AuthenticationRefusal('CERTIFICATE_AMBIGUOUS');
        principal = morePowerful(principal, found);
      }
      return { kind: 'certificate', principal };
    }
  }
}

function bearerToken(metadata: Metadata): string | undefined {
  const values = metadata.get('authorization');
  if (values.length === 0) return undefined;
  const [value] = values;
  if (values.length > 1 || typeof value !== 'string') throw new AuthenticationRefusal('TOKEN_MALFORMED');
  if (value.length > MAX_TOKEN_CHARACTERS) throw new AuthenticationRefusal('TOKEN_TOO_LONG');
  const [, token] = BEARER.exec(value) ?? [];
  if (token === undefined) throw new AuthenticationRefusal('TOKEN_MALFORMED');
  return token;
}

function jwtClient({ issuer, subject }: JwtClaims, clients: ClientIndex): Principal {
  const principal = clients.find(identityKey({ kind: 'jwt', issuer, subject }));
  if (principal === undefined) throw new AuthenticationRefusal('UNKNOWN');
  return principal;
}

function theSame(byCertificate: Principal | undefined, byToken: Principal): Principal {
  if (byCertificate !== undefined && byCertificate.client !== byToken.client)
    throw new AuthenticationRefusal('DIFFERENT_CLIENTS');
  return morePowerful(byCertificate, byToken);
}

/** Of one client known by two identities, of which the settings may have made one an operator's. */
function morePowerful(one: Principal | undefined, other: Principal): Principal {
  return one !== undefined && one.roles.size > other.roles.size ? one : other;
}

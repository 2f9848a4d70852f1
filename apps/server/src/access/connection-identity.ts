import type { X509Certificate } from 'node:crypto';
import { TLSSocket } from 'node:tls';
import { identityKey } from '@callpass/domain';
import { sessionOf, type GrpcServerCall } from '@callpass/grpc-kit';

/** Identities that a verified certificate proves. */
export interface CertificateIdentity {
  /** Identities, as `identityKey` writes them. */
  readonly keys: readonly string[];
  readonly notAfterMs: number;
}

/** Evidence of the client that the connection of a call gives. */
export type ConnectionIdentity =
  | { readonly kind: 'plaintext' | 'nothing' | 'untrusted' | 'notValidNow' }
  | ({ readonly kind: 'certificate' } & CertificateIdentity);

/** Connection of a call, as it is known to authentication. */
export interface KnownConnection {
  readonly identity: ConnectionIdentity;
  /** A client was recognised in one of its calls. */
  isRecognised: boolean;
}

/** OpenSSL's names for a certificate of a trusted authority at the wrong time. */
const AT_THE_WRONG_TIME = new Set(['CERT_HAS_EXPIRED', 'CERT_NOT_YET_VALID']);

const bySession = new WeakMap<object, KnownConnection>();

/** The connection of a call. Its certificate is read once, at its first call. */
export function connectionOf(call: GrpcServerCall): KnownConnection {
  const session = sessionOf(call);
  if (session === undefined) return { identity: { kind: 'nothing' }, isRecognised: false };
  let connection = bySession.get(session);
  if (connection === undefined) {
    connection = { identity: read(session.socket), isRecognised: false };
    bySession.set(session, connection);
  }
  return connection;
}

/** Tests that a client was recognised in a call of this HTTP/2 session. */
export function isRecognised(session: object): boolean {
  return bySession.get(session)?.isRecognised ?? false;
}

function read(socket: unknown): ConnectionIdentity {
  if (!(socket instanceof TLSSocket)) return { kind: 'plaintext' };
  const certificate = socket.getPeerX509Certificate();
  if (certificate === undefined) return { kind: 'nothing' };
  if (socket.authorized) return { kind: 'certificate', ...readCertificate(certificate) };
  // The types say Error; it is OpenSSL's name of one.
  const why = socket.authorizationError as unknown as string;
  return { kind: AT_THE_WRONG_TIME.has(why) ? 'notValidNow' : 'untrusted' };
}

/**
 * The identities in a certificate whose chain was verified: the SPIFFE id, where the certificate has exactly one URI name as
 * an X.509-SVID must; each DNS name; the common name, where there is exactly one. None in the certificate of an authority,
 * which proves whom it certifies, not who calls.
 */
function readCertificate(certificate: X509Certificate): CertificateIdentity {
  return {
    keys: certificate.ca ? [] : identityKeys(certificate),
    notAfterMs: certificate.validToDate.getTime(),
  };
}

function identityKeys(certificate: X509Certificate): string[] {
  const names = alternativeNames(certificate.subjectAltName);
  const uris = names.filter(({ type }) => type === 'URI');
  const [uri] = uris;
  const spiffeId = uris.length === 1 && uri?.value.startsWith('spiffe://') ? [uri.value] : [];
  return [
    ...spiffeId.map((value) => identityKey({ kind: 'spiffeId', value })),
    ...names.filter(({ type }) => type === 'DNS').map(({ value }) => identityKey({ kind: 'dnsName', value })),
    ...commonNames(certificate).map((value) => identityKey({ kind: 'commonName', value })),
  ];
}

/**
 * `URI:…, DNS:…` as Node writes it. It quotes values with characters that could be taken for another name; no DNS name or
 * SPIFFE id has such, so a certificate with one has no names at all here.
 */
function alternativeNames(text: string | undefined): { type: string; value: string }[] {
  if (text === undefined || text.includes('"')) return [];
  return text.split(', ').map((name) => {
    const colon = name.indexOf(':');
    return { type: name.slice(0, colon), value: name.slice(colon + 1) };
  });
}

function commonNames(certificate: X509Certificate): string[] {
  const name: unknown = certificate.toLegacyObject().subject?.CN;
  return typeof name === 'string' ? [name] : [];
}

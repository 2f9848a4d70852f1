import { TLSSocket } from 'node:tls';
import { sessionOf, type GrpcServerCall } from '@callpass/grpc-kit';
import { readCertificate, type CertificateIdentity } from './certificate.ts';

/** What the connection of a call says about the client. */
export type ConnectionIdentity =
  | { readonly kind: 'plaintext' | 'nothing' | 'untrusted' | 'notValidNow' }
  | ({ readonly kind: 'certificate' } & CertificateIdentity);

const NOTHING: ConnectionIdentity = { kind: 'nothing' };

/** OpenSSL's names for a certificate of a trusted authority at the wrong time. */
const AT_THE_WRONG_TIME = new Set(['CERT_HAS_EXPIRED', 'CERT_NOT_YET_VALID']);

const bySession = new WeakMap<object, ConnectionIdentity>();

/** Reads the certificate of a connection once, at its first call. */
export function connectionIdentity(call: GrpcServerCall): ConnectionIdentity {
  const session = sessionOf(call);
  if (session === undefined) return NOTHING;
  let identity = bySession.get(session);
  if (identity === undefined) bySession.set(session, (identity = read(session.socket)));
  return identity;
}

function read(socket: unknown): ConnectionIdentity {
  if (!(socket instanceof TLSSocket)) return { kind: 'plaintext' };
  const certificate = socket.getPeerX509Certificate();
  if (certificate === undefined) return NOTHING;
  if (socket.authorized) return { kind: 'certificate', ...readCertificate(certificate) };
  // The types say Error; it is OpenSSL's name of one.
  const why = socket.authorizationError as unknown as string;
  return { kind: AT_THE_WRONG_TIME.has(why) ? 'notValidNow' : 'untrusted' };
}

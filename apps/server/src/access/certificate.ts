import type { X509Certificate } from 'node:crypto';
import { identityKey } from '@callpass/domain';

/** What a verified certificate proves. */
export interface CertificateIdentity {
  /** Identities, as `identityKey` writes them. */
  readonly keys: readonly string[];
  readonly notAfterMs: number;
}

/**
 * The identities in a certificate whose chain was verified: the SPIFFE id, where the certificate has exactly one URI name as
 * an X.509-SVID must; each DNS name; the common name, where there is exactly one. None in the certificate of an authority,
 * which proves whom it certifies, not who calls.
 */
export function readCertificate(certificate: X509Certificate): CertificateIdentity {
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

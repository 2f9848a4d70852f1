import 'reflect-metadata';
import { webcrypto } from 'node:crypto';
import { isIP } from 'node:net';
import * as x509 from '@peculiar/x509';

/** A certificate and its private key, PEM. */
export interface CertifiedKey {
  readonly cert: string;
  readonly key: string;
}

/** What a certificate says. */
export interface LeafOptions {
  /** Subject's common name. None by default. */
  readonly commonName?: string;
  /** URI names, such as a SPIFFE id. */
  readonly uris?: readonly string[];
  /** DNS names and IP addresses. */
  readonly names?: readonly string[];
  /** What it may be used for: proving a server or a client. */
  readonly use: 'server' | 'client';
  /** Now, less an hour for clocks that differ, by default. */
  readonly notBefore?: Date;
  /** 30 days from now by default. */
  readonly notAfter?: Date;
}

/** A certificate authority that lives in this process only: its key is never given out. */
export interface Authority {
  /** Its certificate, PEM. */
  readonly cert: string;
  /** Makes a key and certifies it. */
  issue(options: LeafOptions): Promise<CertifiedKey>;
}

const ALGORITHM = { name: 'ECDSA', namedCurve: 'P-256', hash: 'SHA-256' } as const;
const HOUR_MS = 3_600_000;
const LIFETIME_MS = 30 * 24 * HOUR_MS;

/**
 * Makes an authority for trying out and for tests. Keys are P-256 and come from the system's CSPRNG. Not for production:
 * nobody can revoke what it has certified.
 */
export async function createAuthority(commonName = 'Callpass throw-away authority'): Promise<Authority> {
  x509.cryptoProvider.set(webcrypto);
  const keys = await generateKeys();
  const name = `CN=${commonName}`;
  const certificate = await x509.X509CertificateGenerator.createSelfSigned({
    name,
    ...validity({}),
    keys,
    signingAlgorithm: ALGORITHM,
    extensions: [
      new x509.BasicConstraintsExtension(true, 0, true),
      new x509.KeyUsagesExtension(x509.KeyUsageFlags.keyCertSign | x509.KeyUsageFlags.cRLSign, true),
      await x509.SubjectKeyIdentifierExtension.create(keys.publicKey),
    ],
  });
  return {
    cert: pem(certificate),
    issue: (options) => certify(options, { name: certificate.subject, keys }),
  };
}

/** A certificate that no authority stands behind, for tests of who is let in with it. */
export function selfSigned(options: LeafOptions): Promise<CertifiedKey> {
  return certify(options);
}

async function certify(
  options: LeafOptions,
  by?: { readonly name: string; readonly keys: webcrypto.CryptoKeyPair },
): Promise<CertifiedKey> {
  x509.cryptoProvider.set(webcrypto);
  const leaf = await generateKeys();
  const signer = by?.keys ?? leaf;
  const subject = options.commonName === undefined ? '' : `CN=${options.commonName}`;
  const issued = await x509.X509CertificateGenerator.create({
    subject,
    issuer: by?.name ?? subject,
    ...validity(options),
    publicKey: leaf.publicKey,
    signingKey: signer.privateKey,
    signingAlgorithm: ALGORITHM,
    extensions: [
      new x509.BasicConstraintsExtension(false, undefined, true),
      new x509.KeyUsagesExtension(x509.KeyUsageFlags.digitalSignature, true),
      new x509.ExtendedKeyUsageExtension([
        options.use === 'server' ? x509.ExtendedKeyUsage.serverAuth : x509.ExtendedKeyUsage.clientAuth,
      ]),
      ...alternativeNames(options),
      await x509.AuthorityKeyIdentifierExtension.create(signer.publicKey),
    ],
  });
  const key = await webcrypto.subtle.exportKey('pkcs8', leaf.privateKey);
  return { cert: pem(issued), key: `${x509.PemConverter.encode(key, 'PRIVATE KEY')}\n` };
}

function generateKeys(): Promise<webcrypto.CryptoKeyPair> {
  return webcrypto.subtle.generateKey(ALGORITHM, true, ['sign', 'verify']);
}

function validity({ notBefore, notAfter }: Pick<LeafOptions, 'notBefore' | 'notAfter'>) {
  return {
    notBefore: notBefore ?? new Date(Date.now() - HOUR_MS),
    notAfter: notAfter ?? new Date(Date.now() + LIFETIME_MS),
  };
}

function alternativeNames({ uris = [], names = [] }: LeafOptions): x509.Extension[] {
  const all: x509.JsonGeneralNames = [
    ...uris.map((value) => ({ type: 'url' as const, value })),
    ...names.map((value) => ({ type: isIP(value) === 0 ? ('dns' as const) : ('ip' as const), value })),
  ];
  return all.length === 0 ? [] : [new x509.SubjectAlternativeNameExtension(all)];
}

function pem(certificate: x509.X509Certificate): string {
  return `${certificate.toString('pem')}\n`;
}

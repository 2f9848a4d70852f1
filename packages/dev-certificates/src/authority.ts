import 'reflect-metadata';
import { webcrypto } from 'node:crypto';
import { isIP } from 'node:net';
import * as x509 from '@peculiar/x509';

/** Certificate and its private key, in PEM. */
export interface CertifiedKey {
  readonly cert: string;
  readonly key: string;
}

/** Content of a certificate. */
export interface LeafOptions {
  /** Common name of the subject. Default: none. */
  readonly commonName?: string;
  /** URI names, such as a SPIFFE id. */
  readonly uris?: readonly string[];
  /** DNS names and IP addresses. */
  readonly names?: readonly string[];
  /** Extended key usage: TLS server or TLS client authentication (RFC 5280 section 4.2.1.12). */
  readonly use: 'server' | 'client';
  /** Start of validity. Default: one hour ago, for clocks that differ. */
  readonly notBefore?: Date;
  /** End of validity. Default: in 30 days. */
  readonly notAfter?: Date;
}

/** Certificate authority in the memory of this process. */
export interface Authority {
  /** Certificate of the authority, in PEM. */
  readonly cert: string;
  /** Private key of the authority, PKCS #8 in PEM, to open it again with {@link openAuthority}. */
  exportKey(): Promise<string>;
  /** Generates a key and issues its certificate. */
  issue(options: LeafOptions): Promise<CertifiedKey>;
}

const ALGORITHM = { name: 'ECDSA', namedCurve: 'P-256', hash: 'SHA-256' } as const;
const HOUR_MS = 3_600_000;
const LIFETIME_MS = 30 * 24 * HOUR_MS;

/**
 * Creates an authority for development and tests. Keys are P-256, from the system's CSPRNG. Not for production: its
 * certificates cannot be revoked.
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
  return authorityOf(certificate, keys);
}

/** Opens an authority of {@link createAuthority} again. Rejects with an error of WebCrypto for anything but its PEM. */
export async function openAuthority({ cert, key }: CertifiedKey): Promise<Authority> {
  x509.cryptoProvider.set(webcrypto);
  const certificate = new x509.X509Certificate(cert);
  const pkcs8 = x509.PemConverter.decodeFirst(key);
  return authorityOf(certificate, {
    publicKey: (await certificate.publicKey.export(ALGORITHM, ['verify'])) as webcrypto.CryptoKey,
    privateKey: await webcrypto.subtle.importKey('pkcs8', pkcs8, ALGORITHM, true, ['sign']),
  });
}

function authorityOf(certificate: x509.X509Certificate, keys: webcrypto.CryptoKeyPair): Authority {
  return {
    cert: pem(certificate),
    exportKey: () => exportKey(keys.privateKey),
    issue: (options) => certify(options, { name: certificate.subject, keys }),
  };
}

/** Issues a self-signed certificate, for tests of clients that must be refused. */
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
  return { cert: pem(issued), key: await exportKey(leaf.privateKey) };
}

async function exportKey(key: webcrypto.CryptoKey): Promise<string> {
  return `${x509.PemConverter.encode(await webcrypto.subtle.exportKey('pkcs8', key), 'PRIVATE KEY')}\n`;
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

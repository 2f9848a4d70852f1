import { createPrivateKey, X509Certificate } from 'node:crypto';
import { describe, expect, it } from '@jest/globals';
import { createAuthority } from './authority.ts';

describe('createAuthority', () => {
  it('certifies keys under all names that are asked for, for one use', async () => {
    const authority = await createAuthority();
    const { cert, key } = await authority.issue({
      commonName: 'edge',
      uris: ['spiffe://example.org/edge'],
      names: ['localhost', '127.0.0.1', '::1'],
      use: 'server',
    });
    const certificate = new X509Certificate(cert);
    const issuer = new X509Certificate(authority.cert);
    expect(issuer.ca).toBe(true);
    expect(certificate.verify(issuer.publicKey)).toBe(true);
    expect(certificate.checkPrivateKey(createPrivateKey(key))).toBe(true);
    expect(certificate.subject).toBe('CN=edge');
    expect(certificate.subjectAltName).toBe(
      'URI:spiffe://example.org/edge, DNS:localhost, IP Address:127.0.0.1, IP Address:0:0:0:0:0:0:0:1',
    );
    expect(certificate.keyUsage).toEqual(['1.3.6.1.5.5.7.3.1']);
    expect(certificate.ca).toBe(false);
  });

  it('certifies for a month by default', async () => {
    const authority = await createAuthority();
    const days = ({ cert }: { cert: string }) =>
      (new X509Certificate(cert).validToDate.getTime() - Date.now()) / 86_400_000;
    expect(days(await authority.issue({ use: 'client' }))).toBeCloseTo(30, 1);
    const notAfter = new Date(Date.now() - 1000);
    expect(days(await authority.issue({ use: 'client', notBefore: new Date(0), notAfter }))).toBeLessThan(0);
  });
});

import { createPrivateKey, X509Certificate } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { ok, problem, warning, type Finding } from '@callpass/program';
import type { Settings } from '../settings/schema.ts';

const DAY_MS = 86_400_000;

/** Certificates are usually renewed with a third of their time left; a month is late for those of ninety days. */
const SOON_MS = 14 * DAY_MS;

/** Looks at the certificate, its key and the authorities of clients, as they lie on disk. */
export function checkCertificates({ tls }: Pick<Settings, 'tls'>, nowMs: number): readonly Finding[] {
  const { certFile, keyFile, clientCaFile } = tls;
  if (certFile === undefined || keyFile === undefined)
    return [ok('certificate', 'none: plain text, which the settings allow here')];
  const authorities = clientCaFile === undefined ? [] : [checkAuthorities(clientCaFile, nowMs)];
  return [checkServed({ certFile, keyFile, nowMs }), ...authorities];
}

function checkServed({ certFile, keyFile, nowMs }: { certFile: string; keyFile: string; nowMs: number }) {
  const name = 'certificate';
  let certificate: X509Certificate;
  try {
    certificate = new X509Certificate(readFileSync(certFile));
    if (!certificate.checkPrivateKey(createPrivateKey(readFileSync(keyFile))))
      return problem(name, 'the key is of another certificate', `put the key of ${certFile} into ${keyFile}`);
  } catch (error) {
    return problem(
      name,
      `${certFile} and ${keyFile} cannot be used: ${why(error)}`,
      'give tls.certFile and tls.keyFile as PEM files that the service can read',
    );
  }
  if (certificate.subjectAltName === undefined)
    return problem(
      name,
      `${certFile} has no subject alternative name, so clients refuse it`,
      'issue it anew with a DNS name or an address in subjectAltName',
    );
  return checkTime(name, certFile, { certificate, nowMs }) ?? ok(name, lifeOf(certFile, certificate, nowMs));
}

function checkAuthorities(file: string, nowMs: number): Finding {
  const name = "clients' authorities";
  try {
    const blocks = readFileSync(file, 'utf8').match(
      /-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----/g,
    );
    const certificates = (blocks ?? []).map((block) => new X509Certificate(block));
    if (certificates.length === 0)
      return problem(name, `${file} holds no certificate`, 'put the authorities there, in PEM');
    const late = certificates.map((certificate) => checkTime(name, file, { certificate, nowMs }));
    return late.find((finding) => finding !== undefined) ?? ok(name, `${certificates.length} in ${file}`);
  } catch (error) {
    return problem(name, `${file} cannot be used: ${why(error)}`, 'give tls.clientCaFile as a PEM file');
  }
}

function checkTime(
  name: string,
  file: string,
  { certificate, nowMs }: { certificate: X509Certificate; nowMs: number },
): Finding | undefined {
  const renew = 'renew it and put it in place: the server reads it again within seconds, without a restart';
  if (certificate.validFromDate.getTime() > nowMs)
    return problem(
      name,
      `${file} is valid only from ${certificate.validFromDate.toISOString()}`,
      'look at the clock of this machine and of the authority',
    );
  const leftMs = certificate.validToDate.getTime() - nowMs;
  if (leftMs < 0) return problem(name, `${file} ran out at ${certificate.validToDate.toISOString()}`, renew);
  return leftMs < SOON_MS ? warning(name, lifeOf(file, certificate, nowMs), renew) : undefined;
}

function lifeOf(file: string, certificate: X509Certificate, nowMs: number): string {
  const days = Math.floor((certificate.validToDate.getTime() - nowMs) / DAY_MS);
  return `${file} runs out in ${days} days, at ${certificate.validToDate.toISOString()}`;
}

/** Describes what went wrong, never what the file holds. */
function why(error: unknown): string {
  return (error as NodeJS.ErrnoException).code ?? 'no PEM';
}

import { X509Certificate } from 'node:crypto';
import { createSecureContext, type SecureContextOptions, type TLSSocket } from 'node:tls';
import { http2ServersOf } from '@callpass/grpc-kit';
import { METRICS, type Instruments } from '@callpass/telemetry';
import { ServerCredentials, type Server } from '@grpc/grpc-js';
import { describeError, type Logger } from '@callpass/program/log';
import { describeFault, followFiles } from '@callpass/program';
import { SettingsError } from '../settings/load.ts';
import type { Settings } from '../settings/schema.ts';

/** Certificate by the values of `callpass.certificate`, and the end of its validity in ms since the epoch. */
export interface CertificateExpiry {
  readonly certificate: 'server' | 'client_ca';
  readonly notAfterMs: number;
}

/** Encryption of the server's connections. */
export interface Transport {
  readonly credentials: ServerCredentials;
  /** Expiry of the certificate that is served now; `undefined` in plain text. */
  certificateExpiry(): { readonly notAfterMs: number } | undefined;
  /** Expiry of each certificate in use: of the server's, and of the first of the client authorities to expire. */
  expiries(): readonly CertificateExpiry[];
  /** Stops looking for new certificates. */
  stop(): void;
}

/** Forward secrecy and authenticated encryption, as HTTP/2 wants it (RFC 9113, section 9.2.2). */
const CIPHERS = [
  'TLS_AES_128_GCM_SHA256',
  'TLS_AES_256_GCM_SHA384',
  'TLS_CHACHA20_POLY1305_SHA256',
  'ECDHE-ECDSA-AES128-GCM-SHA256',
  'ECDHE-RSA-AES128-GCM-SHA256',
  'ECDHE-ECDSA-AES256-GCM-SHA384',
  'ECDHE-RSA-AES256-GCM-SHA384',
  'ECDHE-ECDSA-CHACHA20-POLY1305',
  'ECDHE-RSA-CHACHA20-POLY1305',
].join(':');

const PLAINTEXT: Transport = {
  credentials: ServerCredentials.createInsecure(),
  certificateExpiry: () => undefined,
  expiries: () => [],
  stop: () => undefined,
};

/**
 * TLS by the settings, with the files read again when they change: new connections get what is in them within seconds, and
 * connections that are open go on. Files that do not fit together are not taken.
 *
 * @throws {SettingsError} when the files cannot be used at the start.
 */
export function openTransport({ tls }: Pick<Settings, 'tls'>, log: Logger): Transport {
  const { certFile, keyFile, clientCaFile } = tls;
  assertComplete(tls);
  if (certFile === undefined || keyFile === undefined) return PLAINTEXT;
  const names = [certFile, keyFile, ...(clientCaFile === undefined ? [] : [clientCaFile])];
  let credentials: ReloadingCredentials | undefined;
  let notAfterMs = 0;
  let clientCa: readonly CertificateExpiry[] = [];
  const use = ([cert, key, ca]: readonly Buffer[]) => {
    const context = checkedContext({ cert, key, ca });
    const expiry = new X509Certificate(cert as Buffer).validToDate.getTime();
    if (credentials !== undefined && expiry < Date.now())
      throw new Error('the new certificate has expired already');
    if (credentials === undefined) credentials = new ReloadingCredentials(context, tls.clientCertificates);
    else credentials.replace(context);
    notAfterMs = expiry;
    clientCa = ca === undefined ? [] : [{ certificate: 'client_ca', notAfterMs: firstExpiryMs(ca) }];
    log.info({ certFile, notAfter: new Date(notAfterMs).toISOString() }, 'certificate in use');
  };
  try {
    const files = followFiles(names, use, (error) => {
      log.error(
        { files: names, error: describeError(error) },
        'new certificate, key or authorities not taken; the last ones stay in use',
      );
    });
    return {
      credentials: credentials as unknown as ServerCredentials,
      certificateExpiry: () => ({ notAfterMs }),
      expiries: () => [{ certificate: 'server', notAfterMs }, ...clientCa],
      stop: () => {
        files.stop();
      },
    };
  } catch (error) {
    throw new SettingsError([`tls: ${names.join(', ')}: ${describeFault(error)}`]);
  }
}

function assertComplete({ certFile, keyFile, clientCaFile, clientCertificates }: Settings['tls']): void {
  if ((certFile === undefined) !== (keyFile === undefined))
    throw new SettingsError(['tls: certFile and keyFile go together']);
  if (certFile === undefined && clientCaFile !== undefined)
    throw new SettingsError(['tls.clientCaFile: needs certFile and keyFile']);
  if (clientCaFile === undefined && clientCertificates === 'required')
    throw new SettingsError(['tls.clientCertificates: required needs clientCaFile']);
}

/** Throws for what is no certificate, no key, or a key of another certificate. */
function checkedContext(files: Pick<SecureContextOptions, 'cert' | 'key' | 'ca'>): SecureContextOptions {
  const context: SecureContextOptions = { ...files, minVersion: 'TLSv1.2', ciphers: CIPHERS };
  createSecureContext(context);
  // Node takes authorities that are none for an empty list, which would shut everybody out.
  if (files.ca !== undefined) new X509Certificate(files.ca as Buffer);
  return context;
}

/** Measures the time until each certificate in use expires. */
export function measureCertificates(make: Instruments, transport: Pick<Transport, 'expiries'>): void {
  make.gauge(METRICS.certificateExpiry, () =>
    transport.expiries().map((each) => [(each.notAfterMs - Date.now()) / 1000, each.certificate]),
  );
}

/** Earliest end of validity among the certificates of a PEM file, in ms since the epoch. */
function firstExpiryMs(pem: Buffer): number {
  const certificates = pem
    .toString('latin1')
    .match(/-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----/g);
  return Math.min(...(certificates ?? [pem]).map((each) => new X509Certificate(each).validToDate.getTime()));
}

class ReloadingCredentials extends ServerCredentials {
  constructor(context: SecureContextOptions, clientCertificates: Settings['tls']['clientCertificates']) {
    super(
      { requestCert: context.ca !== undefined, rejectUnauthorized: clientCertificates === 'required' },
      context,
    );
  }

  /** From now on, new connections get this. */
  replace(context: SecureContextOptions): void {
    this.updateSecureContextOptions(context);
  }

  override _equals(other: ServerCredentials): boolean {
    return this === other;
  }
}

const REFUSED_WINDOW_MS = 60_000;

/**
 * Says in the log which client certificates are no good where the settings insist on one: the connection ends before there
 * is a call, so neither a trace nor the ledger could. One line for each of OpenSSL's causes a minute, since whoever can
 * connect can make as many of these as they like.
 */
export function logRefusedCertificates(server: Server, log: Logger): void {
  const loggedAtMs = new Map<string, number>();
  const onRefused = (_error: Error, socket: TLSSocket) => {
    // The types say Error; it is OpenSSL's name of one, and nothing where something else went wrong.
    const fault = socket.authorizationError as unknown as string | null;
    const nowMs = performance.now();
    if (!fault || nowMs - (loggedAtMs.get(fault) ?? -Infinity) < REFUSED_WINDOW_MS) return;
    loggedAtMs.set(fault, nowMs);
    // The socket has forgotten its peer by now.
    log.warn({ fault }, 'a client certificate was refused in the handshake');
  };
  for (const http2Server of http2ServersOf(server)) http2Server.on('tlsClientError', onRefused);
}

import { X509Certificate } from 'node:crypto';
import type { Server as HttpsServer } from 'node:https';
import { createSecureContext } from 'node:tls';
import { describeFault, followFiles } from '@callpass/program';
import { describeError, type Logger } from '@callpass/program/log';
import { SettingsError } from '@callpass/program/settings';
import type { Settings } from '../settings/schema.ts';

/** The certificate of HTTPS, by the settings. */
export interface Certificate {
  /** Chain and key as they were at the start, for a new server. */
  readonly first: { readonly cert: Buffer; readonly key: Buffer };
  /** Gives the server each new certificate from now on: new connections get it, open ones go on. */
  follow(server: Pick<HttpsServer, 'setSecureContext'>): void;
  /** End of the certificate that is served now, in ms since 1970. */
  notAfterMs(): number;
  /** Stops looking for new certificates. */
  stop(): void;
}

/**
 * Reads the files of the certificate, and again when they change. Files that do not fit together or have expired are not taken,
 * and the last ones stay in use. Throws SettingsError when they cannot be used at the start; `undefined` for plain HTTP.
 */
export function openCertificate(
  { certFile, keyFile }: Settings['listen'],
  log: Logger,
): Certificate | undefined {
  if (certFile === undefined && keyFile === undefined) return undefined;
  if (certFile === undefined || keyFile === undefined) {
    throw new SettingsError(['listen.certFile and listen.keyFile go together']);
  }
  let server: Pick<HttpsServer, 'setSecureContext'> | undefined;
  let current: Certificate['first'] | undefined;
  let notAfterMs = 0;
  const use = ([cert, key]: readonly Buffer[]) => {
    const files = { cert: cert as Buffer, key: key as Buffer };
    createSecureContext(files);
    const expiry = new X509Certificate(files.cert).validToDate.getTime();
    if (current !== undefined && expiry < Date.now())
      throw new Error('the new certificate has expired already');
    current = files;
    notAfterMs = expiry;
    server?.setSecureContext(files);
    log.info({ certFile, notAfter: new Date(notAfterMs).toISOString() }, 'certificate in use');
  };
  try {
    const followed = followFiles([certFile, keyFile], use, (error) => {
      log.error(
        { certFile, keyFile, error: describeError(error) },
        'new certificate or key not taken; the last ones stay in use',
      );
    });
    return {
      first: current as unknown as Certificate['first'],
      follow(next) {
        server = next;
        if (current !== undefined) server.setSecureContext(current);
      },
      notAfterMs: () => notAfterMs,
      stop: () => {
        followed.stop();
      },
    };
  } catch (error) {
    throw new SettingsError([`listen: ${certFile}, ${keyFile}: ${describeFault(error)}`]);
  }
}

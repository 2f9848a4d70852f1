import { createPrivateKey, X509Certificate } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import type { Socket } from 'node:net';
import { isIP } from 'node:net';
import { checkServerIdentity, connect, createSecureContext, type SecureContext } from 'node:tls';
import { RpcError, type ClientInterceptor } from '@callpass/grpc-kit/client';
import {
  CallCredentials,
  ChannelCredentials,
  status,
  type ChannelOptions,
  type experimental,
} from '@grpc/grpc-js';
import { hostsOf } from './loopback.ts';

/**
 * TLS to the service. `{}` trusts the system's authorities and presents no certificate. Files are read again for each new
 * connection, and when they change a new connection is made, so a certificate may be renewed without a lost call; while a file
 * is unusable, its last content stays in use.
 *
 * @example
 * ```ts
 * const tls: TlsOptions = { caFile: 'ca.crt', certFile: 'tls.crt', keyFile: 'tls.key' };
 * ```
 */
export interface TlsOptions {
  /** Authorities of the service's certificate, PEM. Default: the system's. */
  readonly ca?: string | Uint8Array | undefined;
  /** This client's certificate chain, for mTLS, PEM; together with `key`. */
  readonly cert?: string | Uint8Array | undefined;
  /** The private key of `cert`, PEM. */
  readonly key?: string | Uint8Array | undefined;
  /** A file instead of `ca`. */
  readonly caFile?: string | undefined;
  /** A file instead of `cert`; together with `keyFile`. */
  readonly certFile?: string | undefined;
  /** A file instead of `key`. */
  readonly keyFile?: string | undefined;
}

/** Contents of the files; `undefined` where there is none. */
interface Files {
  readonly ca: Buffer | undefined;
  readonly cert: Buffer | undefined;
  readonly key: Buffer | undefined;
}

type Target = Parameters<ChannelCredentials['_createSecureConnector']>[0];

/**
 * Channel credentials with a new TLS context for each connection. Those of grpc-js create it once, and send an IP address in
 * the extension for names (RFC 6066), of which Node warns.
 */
export class TlsCredentials extends ChannelCredentials {
  readonly #options: TlsOptions;
  #context: SecureContext | undefined;
  /** The certificate of the last context. */
  #presented: TlsOptions['cert'];
  /** Contents of the files for the first context. */
  #firstRead: Files | undefined;

  /** Throws TypeError on options that contradict each other, and on PEM texts that are none. */
  constructor(options: TlsOptions) {
    super();
    assertConsistent(options);
    this.#options = options;
    if (!this.hasFiles) this.#use(options);
  }

  /** End of validity of this client's own certificate, in ms since the epoch; `undefined` if it presents none. */
  get notAfterMs(): number | undefined {
    return this.#presented === undefined
      ? undefined
      : new X509Certificate(this.#presented).validToDate.getTime();
  }

  /** `true` if certificate, key or authorities are in files. */
  get hasFiles(): boolean {
    const { caFile, certFile, keyFile } = this.#options;
    return caFile !== undefined || certFile !== undefined || keyFile !== undefined;
  }

  /**
   * Credentials with what the files hold now; `undefined` if they hold what the first connection was made with, or none was
   * made yet. Rejects while the files are unusable.
   */
  async renewed(): Promise<TlsCredentials | undefined> {
    const before = this.#firstRead;
    if (before === undefined) return undefined;
    const { caFile, certFile, keyFile } = this.#options;
    const read = async (file: string | undefined) => (file === undefined ? undefined : readFile(file));
    const [ca, cert, key] = await Promise.all([read(caFile), read(certFile), read(keyFile)]);
    if (sameContent(ca, before.ca) && sameContent(cert, before.cert) && sameContent(key, before.key))
      return undefined;
    const renewed = new TlsCredentials(this.#options);
    renewed.#useFiles({ ca, cert, key });
    return renewed;
  }

  override _isSecure(): boolean {
    return true;
  }

  override _equals(other: ChannelCredentials): boolean {
    return this === other;
  }

  override _createSecureConnector(
    target: Target,
    options: ChannelOptions,
    callCredentials: CallCredentials = CallCredentials.createEmpty(),
  ): experimental.SecureConnector {
    const override = options['grpc.ssl_target_name_override'];
    const host = override ?? hostOf(options['grpc.http_connect_target'] ?? target);
    return {
      connect: (socket) => handshake(socket, host, () => this.#current()),
      waitForReady: () => Promise.resolve(),
      getCallCredentials: () => callCredentials,
      destroy: () => undefined,
    };
  }

  #current(): SecureContext {
    const { caFile, certFile, keyFile } = this.#options;
    if (!this.hasFiles) return this.#context as SecureContext;
    const read = (file: string | undefined) => (file === undefined ? undefined : readFileSync(file));
    try {
      return this.#useFiles({ ca: read(caFile), cert: read(certFile), key: read(keyFile) });
    } catch (error) {
      // Files that belong together may be just being replaced.
      if (this.#context !== undefined) return this.#context;
      throw error;
    }
  }

  #useFiles(files: Files): SecureContext {
    const { ca, cert, key } = this.#options;
    const context = this.#use({ ca: files.ca ?? ca, cert: files.cert ?? cert, key: files.key ?? key });
    this.#firstRead ??= files;
    return context;
  }

  #use(options: TlsOptions): SecureContext {
    const context = contextOf(options);
    this.#presented = options.cert;
    return (this.#context = context);
  }
}

/**
 * Replaces the error of a call without a connection by one that says that this client's own certificate has expired, if it has. A service that
 * requires certificates closes the connection without a reason, so only the client can report it.
 */
export function reportExpiry(notAfterMsNow: () => number | undefined): ClientInterceptor {
  return async (_call, next) => {
    try {
      await next();
    } catch (error) {
      if (!(error instanceof RpcError) || error.code !== status.UNAVAILABLE) throw error;
      const notAfterMs = notAfterMsNow() ?? Infinity;
      if (error.details.length > 0 || notAfterMs > Date.now()) throw error;
      const since = new Date(notAfterMs).toISOString();
      throw new RpcError(error.code, `this client's certificate has expired at ${since}; renew it`, {
        ...(error.metadata && { metadata: error.metadata }),
        cause: error,
      });
    }
  };
}

function sameContent(one: Buffer | undefined, other: Buffer | undefined): boolean {
  return one === undefined || other === undefined ? one === other : one.equals(other);
}

function handshake(
  socket: Socket,
  host: string,
  context: () => SecureContext,
): Promise<experimental.SecureConnectResult> {
  return new Promise((resolve, reject) => {
    const secured = connect(
      {
        socket,
        secureContext: context(),
        host,
        servername: isIP(host) === 0 ? host : '',
        ALPNProtocols: ['h2'],
        checkServerIdentity: (_name, certificate) => checkServerIdentity(host, certificate),
      },
      () => {
        resolve({ socket: secured, secure: true });
      },
    );
    secured.on('error', reject);
    secured.once('close', () => {
      reject(new Error('the connection was closed while it was being secured'));
    });
  });
}

function contextOf({ ca, cert, key }: TlsOptions): SecureContext {
  const parts = {
    ...(ca === undefined ? {} : { ca: pem('list of authorities', ca, (text) => new X509Certificate(text)) }),
    ...(cert === undefined ? {} : { cert: pem('certificate', cert, (text) => new X509Certificate(text)) }),
    ...(key === undefined ? {} : { key: pem('key', key, createPrivateKey) }),
  };
  try {
    return createSecureContext({ minVersion: 'TLSv1.2', ...parts });
  } catch (cause) {
    const mismatch = /KEY_(VALUES|TYPE)_MISMATCH/.test(String((cause as NodeJS.ErrnoException).code));
    throw new TypeError(
      mismatch
        ? 'tls: certificate and key do not belong together; give those of one pair'
        : 'tls: certificate, key or authorities cannot be used; look at them with: openssl x509 -in FILE -noout -text',
      { cause },
    );
  }
}

/** Reads a PEM once before it is used: Node leaves out authorities that it cannot read, and its other errors are OpenSSL's. */
function pem(what: string, given: string | Uint8Array, read: (text: Buffer) => unknown): Buffer {
  const text = Buffer.from(given);
  // Node takes an empty text for one that was not given.
  if (text.length === 0)
    throw new TypeError(`tls: the ${what} is empty; give PEM, which begins with -----BEGIN`);
  if (!text.includes('-----BEGIN'))
    throw new TypeError(`tls: the ${what} is no PEM; it has to begin with -----BEGIN`);
  try {
    read(text);
  } catch (cause) {
    const locked = what === 'key' && /ENCRYPTED/.test(text.toString('latin1'));
    throw new TypeError(
      locked
        ? 'tls: the key has a passphrase; take it away with: openssl pkey -in KEY -out NEW'
        : `tls: the PEM of the ${what} is damaged or of something else; copy the whole file again`,
      { cause },
    );
  }
  return text;
}

function hostOf(target: Target | string): string {
  if (typeof target !== 'string' && target.scheme?.startsWith('unix')) return 'localhost';
  return hostsOf(typeof target === 'string' ? target : target.path)[0] ?? '';
}

function assertConsistent(options: TlsOptions): void {
  for (const name of ['ca', 'cert', 'key'] as const)
    if (options[name] !== undefined && options[`${name}File`] !== undefined)
      throw new TypeError(`tls: give ${name} or ${name}File, not both`);
  const given = (name: 'cert' | 'key') => (options[name] ?? options[`${name}File`]) !== undefined;
  if (given('cert') !== given('key')) throw new TypeError('tls: certificate and key go together');
}

import { connect, type Connection, type ConnectOptions } from '@callpass/grpc-kit';
import type { Authority, CertifiedKey } from '@callpass/dev-certificates';
import { credentials, Metadata } from '@grpc/grpc-js';

/** Evidence that a client presents: a certificate, the metadata `authorization`, both or nothing. */
export interface Presented {
  readonly certificate?: CertifiedKey;
  readonly authorization?: string;
}

/**
 * Options that connect with TLS and present a certificate. The name is checked as `localhost`: an address is no TLS name.
 */
export function presenting(
  authority: Pick<Authority, 'cert'>,
  certificate?: CertifiedKey,
): Omit<ConnectOptions, 'address'> {
  return {
    credentials: credentials.createSsl(
      Buffer.from(authority.cert),
      certificate ? Buffer.from(certificate.key) : null,
      certificate ? Buffer.from(certificate.cert) : null,
    ),
    channelOptions: {
      'grpc.ssl_target_name_override': 'localhost',
      // So that no connection is shared with one that was made before, for another certificate.
      'grpc.use_local_subchannel_pool': 1,
    },
  };
}

/** Connects with TLS and presents a certificate. */
export function connectPresenting(
  address: string,
  authority: Pick<Authority, 'cert'>,
  certificate?: CertifiedKey,
): Connection {
  return connect({ address, ...presenting(authority, certificate) });
}

/** Metadata with a bearer token, or whatever else `authorization` is to hold. */
export function authorization(value: string | undefined): Metadata {
  const metadata = new Metadata();
  if (value !== undefined) metadata.set('authorization', value);
  return metadata;
}

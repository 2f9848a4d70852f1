import { AdminService, Cipher, Role } from '@callpass/contract';
import { connect, createClient } from '@callpass/grpc-kit';
import { credentials } from '@grpc/grpc-js';

/** Certificates of a client, PEM. */
export interface ClientTls {
  /** Authority of the server's certificate. */
  readonly ca: string;
  readonly cert: string;
  readonly key: string;
}

/** Sets up one realm `r` with an active key and one destination `d`, through the service's own API. */
export async function provision(
  address: string,
  {
    lifetimeSeconds = 60,
    tls,
    issuer,
  }: {
    readonly lifetimeSeconds?: number;
    /** Certificates of an operator; plain text when left out. */
    readonly tls?: ClientTls | undefined;
    /** Common name of a certificate that may ask for credentials. */
    readonly issuer?: string;
  } = {},
): Promise<void> {
  const pem = (text: string) => Buffer.from(text);
  const transport = tls
    ? credentials.createSsl(pem(tls.ca), pem(tls.key), pem(tls.cert))
    : credentials.createInsecure();
  const connection = connect({ address, credentials: transport });
  const admin = createClient(AdminService, connection);
  await admin.applyConfiguration({
    configuration: {
      realms: [
        {
          name: 'r',
          cipher: Cipher.AES_256_CBC_HMAC_SHA256,
          tokenLifetime: { seconds: BigInt(lifetimeSeconds) },
        },
      ],
      destinations: [{ id: 'd', realm: 'r', account: 'a@x.example', callees: ['b@x.example'] }],
      clients:
        issuer === undefined
          ? []
          : [
              {
                name: issuer,
                identities: [{ kind: { case: 'commonName', value: issuer } }],
                grants: [{ role: Role.ISSUER, destinations: ['d'] }],
              },
            ],
    },
  });
  await admin.addRealmKey({ realm: 'r' });
  await admin.activateRealmKey({ realm: 'r', version: 1 });
  connection.close();
}

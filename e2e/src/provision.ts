import { AdminService, Cipher } from '@callpass/contract';
import { connect, createClient } from '@callpass/grpc-kit';
import { credentials } from '@grpc/grpc-js';

/** Sets up one realm `r` with an active key and one destination `d`, through the service's own API. */
export async function provision(address: string, options: { lifetimeSeconds?: number } = {}): Promise<void> {
  const connection = connect({ address, credentials: credentials.createInsecure() });
  const admin = createClient(AdminService, connection);
  await admin.applyConfiguration({
    configuration: {
      realms: [
        {
          name: 'r',
          cipher: Cipher.AES_256_CBC_HMAC_SHA256,
          tokenLifetime: { seconds: BigInt(options.lifetimeSeconds ?? 60) },
        },
      ],
      destinations: [{ id: 'd', realm: 'r', account: 'a@x.example', callees: ['b@x.example'] }],
    },
  });
  await admin.addRealmKey({ realm: 'r' });
  await admin.activateRealmKey({ realm: 'r', version: 1 });
  connection.close();
}

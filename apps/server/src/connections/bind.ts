import { sharePorts } from '@callpass/grpc-kit';
import { withPort } from '@callpass/program';
import { cannotListen } from '@callpass/program/settings';
import type { Server, ServerCredentials } from '@grpc/grpc-js';

/**
 * Binds an address, alone or, with `reusePort`, together with other instances. Gives it with the port that a 0 became; rejects with
 * SettingsError.
 */
export function bind(
  server: Server,
  { address, reusePort }: { readonly address: string; readonly reusePort: boolean },
  credentials: ServerCredentials,
): Promise<string> {
  if (reusePort) sharePorts(server);
  return new Promise((resolve, reject) => {
    server.bindAsync(address, credentials, (error, port) => {
      if (error) {
        reject(cannotListen('listen.address', address, error));
        return;
      }
      resolve(withPort(address, port));
    });
  });
}

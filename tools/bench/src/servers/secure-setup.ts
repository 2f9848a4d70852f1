import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createAuthority } from '@callpass/dev-certificates';
import type { ClientTls } from '../load/frame-socket.ts';

/** The identity of {@link SecureSetup.issuer}. */
export const ISSUER_SPIFFE_ID = 'spiffe://bench/issuer';
const OPERATOR_SPIFFE_ID = 'spiffe://bench/operator';

/** Certificates for a server that lets nobody in without one. */
export interface SecureSetup {
  /** The settings of the server. */
  readonly environment: NodeJS.ProcessEnv;
  /** Files of the server's certificate and key and of the authority, for the yardstick. */
  readonly files: readonly [cert: string, key: string, ca: string];
  readonly operator: ClientTls;
  readonly issuer: ClientTls;
  stop(): Promise<void>;
}

/** Makes them, in a folder that is gone after `stop`. */
export async function makeSecureSetup(): Promise<SecureSetup> {
  const folder = mkdtempSync(join(tmpdir(), 'callpass-bench-tls-'));
  const file = (name: string, content: string) => {
    writeFileSync(join(folder, name), content, { mode: 0o600 });
    return join(folder, name);
  };
  const authority = await createAuthority();
  const served = await authority.issue({ names: ['localhost'], use: 'server' });
  const client = async (uri: string) => ({
    ca: authority.cert,
    ...(await authority.issue({ uris: [uri], use: 'client' })),
  });
  const files = [
    file('tls.crt', served.cert),
    file('tls.key', served.key),
    file('ca.crt', authority.cert),
  ] as const;
  const [cert, key, ca] = files;
  return {
    environment: {
      CALLPASS_TLS_CERT_FILE: cert,
      CALLPASS_TLS_KEY_FILE: key,
      CALLPASS_TLS_CLIENT_CA_FILE: ca,
      CALLPASS_TLS_CLIENT_CERTIFICATES: 'required',
      CALLPASS_ACCESS_OPERATORS: JSON.stringify([{ spiffeId: OPERATOR_SPIFFE_ID }]),
    },
    files,
    operator: await client(OPERATOR_SPIFFE_ID),
    issuer: await client(ISSUER_SPIFFE_ID),
    stop: () => Promise.resolve(rmSync(folder, { recursive: true, force: true })),
  };
}

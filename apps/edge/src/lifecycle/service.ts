import { readFileSync } from 'node:fs';
import {
  connect,
  createCredentialClient,
  type ConnectOptions,
  type CredentialClient,
} from '@callpass/client';
import { SettingsError } from '@callpass/program/settings';
import type { Settings } from '../settings/schema.ts';
import { oneSecret, readSecretFile } from '../settings/secrets.ts';

/** The edge's connection to the credential service. */
export interface ServiceConnection {
  readonly client: CredentialClient;
  close(): void;
}

/** A service that has come back is found within this time. */
const MAX_RECONNECT_MS = 1000;

/** Opens the connection; nothing is sent before the first call. Throws SettingsError on settings that cannot be used. */
export function connectService({ service }: Pick<Settings, 'service'>): ServiceConnection {
  const tls = tlsOf(service);
  const options: ConnectOptions = {
    address: service.address,
    ...(tls && { tls }),
    plaintextEncryptedBy: service.plaintextEncryptedBy,
    token: tokenOf(service),
    defaultTimeoutMs: service.timeout,
    // A visitor waits, and may ask again: one more attempt and no longer.
    retry: { maxAttempts: 2 },
    coalesce: true,
    channelOptions: { 'grpc.max_reconnect_backoff_ms': MAX_RECONNECT_MS },
  };
  // Files are read at the first call only; what they hold is checked now.
  connectChecked(options).close();
  const connection = connectChecked({ ...options, ...(tls && { tls: filesOf(service) }) });
  return {
    client: createCredentialClient(connection),
    close: () => connection.close(),
  };
}

function connectChecked(options: ConnectOptions): ReturnType<typeof connect> {
  try {
    return connect(options);
  } catch (error) {
    if (error instanceof TypeError) throw new SettingsError([`service: ${error.message}`]);
    throw error;
  }
}

function tlsOf({ tls, caFile, certFile, keyFile }: Settings['service']): ConnectOptions['tls'] {
  const read = (name: string, file: string | undefined) =>
    file === undefined ? undefined : readSecretFile(`service.${name}`, file);
  const [ca, cert, key] = [read('caFile', caFile), read('certFile', certFile), read('keyFile', keyFile)];
  return tls || ca !== undefined || cert !== undefined || key !== undefined ? { ca, cert, key } : undefined;
}

/** Files that are followed, so that a renewed certificate needs no restart. */
function filesOf({ caFile, certFile, keyFile }: Settings['service']): ConnectOptions['tls'] {
  return { caFile, certFile, keyFile };
}

/** Read anew for each call, so that a renewed file needs no restart. */
function tokenOf({ token, tokenFile }: Settings['service']): ConnectOptions['token'] {
  const first = oneSecret('service.token', tokenFile, token);
  return tokenFile === undefined ? first : () => readFileSync(tokenFile, 'utf8').trimEnd();
}

import { statSync } from 'node:fs';
import { createRegistry, type JsonObject, type Message, toJson } from '@bufbuild/protobuf';
import {
  type AdminClient,
  connect,
  type Connection,
  createAdminClient,
  createCredentialClient,
  createHealthClient,
  createLedgerClient,
  type CallOptions,
  type CredentialClient,
  type HealthClient,
  isLoopback,
  type LedgerClient,
  type TlsOptions,
} from '@callpass/client';
import * as contract from '@callpass/contract';
import { file_grpc_health_v1_health } from '@callpass/rpc-protos/gen/grpc/health/v1/health_pb.js';
import { wrongUse } from './failure.ts';
import type { GlobalOptions } from './global-options.ts';
import type { Output, Page } from './output.ts';
import { readSecret, readText } from './read-file.ts';
import type { Terminal } from './terminal.ts';

export { withSpan } from '@callpass/telemetry';

/** Everything a command works with: the service, and the terminal for the outcome. */
export interface Session {
  readonly credentials: CredentialClient;
  readonly admin: AdminClient;
  readonly ledger: LedgerClient;
  readonly health: HealthClient;
  /** Address of the service. */
  readonly address: string;
  /** TLS of the connection; `undefined` in plain text. */
  readonly tls: TlsOptions | undefined;
  /** The time limit of each request. */
  readonly timeoutMs: number;
  /** The enums of the contract. */
  readonly contract: typeof contract;
  readonly terminal: Terminal;
  readonly output: Output;
  readonly note: Output['note'];
  /** For requests that read the whole ledger: the time limit that was given, or ten minutes. */
  readonly patiently: CallOptions;
  /** Writes an answer: as protojson with every field, or as the page says, which gets the same object. */
  readonly answer: (message: Message, page: (print: Page, json: JsonObject) => void) => void;
  /** The protojson of {@link answer}. */
  readonly jsonOf: (message: Message) => JsonObject;
  close(): void;
}

// Answers come from the operator's own service and may be as large as its configuration.
const NO_LIMIT = -1;

const LONG_TIMEOUT_MS = 600_000;

const registry = createRegistry(
  contract.file_callpass_v1_admin_service,
  contract.file_callpass_v1_credential_service,
  contract.file_callpass_v1_ledger_service,
  file_grpc_health_v1_health,
);

/** Opens a session by the global options. Throws a Failure of use where they cannot work; does not reach the service yet. */
export async function openSession(
  options: GlobalOptions,
  terminal: Terminal,
  output: Output,
): Promise<Session> {
  const tls = await tlsOf(options, terminal.stdin);
  const connection = await openConnection({ ...options, tls }, terminal);
  return {
    credentials: createCredentialClient(connection),
    admin: createAdminClient(connection),
    ledger: createLedgerClient(connection),
    health: createHealthClient(connection),
    address: options.address,
    tls,
    timeoutMs: options.timeout,
    contract,
    terminal,
    output,
    note: output.note,
    patiently: { timeoutMs: options.timeoutGiven ? options.timeout : LONG_TIMEOUT_MS },
    jsonOf,
    answer(message, page) {
      const json = jsonOf(message);
      output.answer(json, (print) => {
        page(print, json);
      });
    },
    close: () => {
      connection.close();
    },
  };
}

function jsonOf(message: Message): JsonObject {
  const schema = registry.getMessage(message.$typeName);
  if (!schema) throw new TypeError(`no descriptor of ${message.$typeName}`);
  return toJson(schema, message, { alwaysEmitImplicit: true }) as JsonObject;
}

async function openConnection(
  options: Omit<GlobalOptions, 'tls'> & { readonly tls: TlsOptions | undefined },
  { stdin }: Terminal,
): Promise<Connection> {
  const { address, timeout, tokenFile, tls, plaintextEncryptedBy } = options;
  if (!tls && plaintextEncryptedBy === undefined && !isLoopback(address)) {
    throw wrongUse(
      `${address} is not on this machine: give --tls or --ca FILE, or tokens would cross the network in clear`,
    );
  }
  const token = tokenFile === undefined ? options.token : await readSecret(tokenFile, stdin);
  const target = {
    address,
    token,
    plaintextEncryptedBy,
    defaultTimeoutMs: timeout,
    channelOptions: { 'grpc.max_receive_message_length': NO_LIMIT },
  };
  try {
    // Files are read at the first call only; what they hold is checked now.
    connect({ ...target, tls }).close();
    return connect({ ...target, tls: tls && followed(tls, options) });
  } catch (error) {
    throw wrongUse((error as Error).message);
  }
}

/** The same with files that are followed, so that a renewed certificate is used. A pipe can be read once only. */
function followed(
  { ca, cert, key }: TlsOptions,
  names: Pick<GlobalOptions, 'ca' | 'cert' | 'key'>,
): TlsOptions {
  const isFile = (name: string | undefined) =>
    name !== undefined && statSync(name, { throwIfNoEntry: false })?.isFile() === true;
  return {
    ...(isFile(names.ca) ? { caFile: names.ca } : { ca }),
    ...(isFile(names.cert) ? { certFile: names.cert } : { cert }),
    ...(isFile(names.key) ? { keyFile: names.key } : { key }),
  };
}

async function tlsOf(
  { tls, ca, cert, key }: GlobalOptions,
  stdin: Terminal['stdin'],
): Promise<TlsOptions | undefined> {
  if (!tls && ca === undefined && cert === undefined) return undefined;
  const read = async (name: string | undefined) => (name === undefined ? undefined : readText(name, stdin));
  return { ca: await read(ca), cert: await read(cert), key: await read(key) };
}

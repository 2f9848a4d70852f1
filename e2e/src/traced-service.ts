import { DatabaseSync } from 'node:sqlite';
import { AdminService, CredentialService } from '@callpass/contract';
import { connect, createClient, RpcError, type Client } from '@callpass/grpc-kit';
import type { OtlpReceiver, ReceivedSpan } from '@callpass/otlp-receiver';
import { credentials, Metadata } from '@grpc/grpc-js';
import { startServerProcess, type ServerProcess } from './processes.ts';

const NANOSECONDS_A_MS = 1_000_000n;
const LIMIT_MS = 60_000;

/** The environment of a process whose spans go to a receiver soon. */
export function tracedEnvironment(receiver: OtlpReceiver): NodeJS.ProcessEnv {
  return {
    OTEL_EXPORTER_OTLP_ENDPOINT: receiver.url,
    OTEL_EXPORTER_OTLP_PROTOCOL: 'http/json',
    OTEL_METRICS_EXPORTER: 'none',
    OTEL_BSP_SCHEDULE_DELAY: '100',
  };
}

/** A server whose spans arrive at a receiver, and clients of it that make none. */
export interface TracedService {
  readonly server: ServerProcess;
  readonly credentials: Client<typeof CredentialService>;
  readonly admin: Client<typeof AdminService>;
  stop(): Promise<void>;
}

/** Starts one on a store of its own. */
export async function startTracedService(
  receiver: OtlpReceiver,
  environment: NodeJS.ProcessEnv = {},
): Promise<TracedService> {
  const server = await startServerProcess({ ...tracedEnvironment(receiver), ...environment });
  const connection = connect({ address: server.address, credentials: credentials.createInsecure() });
  return {
    server,
    credentials: createClient(CredentialService, connection),
    admin: createClient(AdminService, connection),
    async stop() {
      connection.close();
      await server.stop();
    },
  };
}

/** A call that goes with what it is given. */
export type TracedCall = (options: { metadata: Metadata; timeoutMs: number }) => Promise<unknown>;

let lastTrace = 0;

/** Makes one call in a trace of its own and gives that trace's spans of the server, the call's own first. */
export async function traceOfCall(
  receiver: OtlpReceiver,
  call: TracedCall,
  token?: string,
): Promise<{
  root: ReceivedSpan;
  steps: ReadonlyMap<string, ReceivedSpan>;
  spans: readonly ReceivedSpan[];
}> {
  const traceId = (++lastTrace).toString(16).padStart(32, '0');
  const metadata = new Metadata();
  metadata.set('traceparent', `00-${traceId}-00000000000000aa-01`);
  if (token !== undefined) metadata.set('authorization', `Bearer ${token}`);
  await call({ metadata, timeoutMs: LIMIT_MS }).catch((error: unknown) => {
    if (!(error instanceof RpcError)) throw error;
  });
  return receiver.waitFor((all) => {
    const spans = all.spans().filter((span) => span.traceId === traceId);
    const root = spans.find(({ kind }) => kind === 'SERVER');
    return root && { root, spans, steps: new Map(spans.map((span) => [span.name, span])) };
  }, LIMIT_MS);
}

/** Duration of a span, in milliseconds. */
export const durationMs = ({ startTimeUnixNano, endTimeUnixNano }: ReceivedSpan): number =>
  Number((endTimeUnixNano - startTimeUnixNano) / NANOSECONDS_A_MS);

/** Keeps everybody else from writing to the store until the function given back is called. */
export function holdStore({ server }: TracedService): () => void {
  const database = new DatabaseSync(server.storeFile);
  database.exec('BEGIN IMMEDIATE');
  return () => {
    database.exec('ROLLBACK');
    database.close();
  };
}

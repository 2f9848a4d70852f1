import { randomUUID } from 'node:crypto';
import { createCredentialClient } from '@callpass/client';
import { connect } from '@callpass/grpc-kit';
import { startOtlpReceiver } from '@callpass/otlp-receiver';
import { credentials } from '@grpc/grpc-js';
import { createClients } from './clients.ts';
import { createRealms, destinationChoices, DESTINATIONS, type SandboxRealm } from './destinations.ts';
import { edgeProgram } from './edge/program.ts';
import type { SandboxOptions } from './options.ts';
import { supervise, type Supervised } from './processes/supervised.ts';
import { issueAndValidate, provision } from './provision.ts';
import { addSandboxRoutes } from './sandbox-routes.ts';
import { serviceProgram } from './service.ts';
import { createGateway } from './webrtc-gateway/gateway.ts';
import { createGatewayApp } from './webrtc-gateway/http/serve.ts';
import { createEcho } from './webrtc-gateway/media/echo.ts';
import { systemTime } from './webrtc-gateway/protocol/time.ts';
import { verifyByService } from './webrtc-gateway/verification/verify-by-service.ts';

const HOST = '127.0.0.1';

/** Everything, serving. */
export interface Sandbox {
  readonly addresses: Readonly<
    Record<'grpc' | 'edge' | 'gateway' | 'page' | 'telemetry' | 'metrics', string>
  >;
  readonly realms: readonly SandboxRealm[];
  readonly proof: Awaited<ReturnType<typeof issueAndValidate>>;
  /** Resolves with the name of a process that ended without having been asked to. */
  readonly died: Promise<string>;
  stop(): Promise<void>;
}

/** Clean-up steps, latest first. */
type Undo = () => Promise<void> | void;

/** Starts the parts in the order in which they need each other. When one fails, those before it are stopped. */
export async function startSandbox(options: SandboxOptions, folder: string): Promise<Sandbox> {
  const undo: Undo[] = [];
  const stop = async () => {
    for (const step of undo.splice(0).reverse()) await step();
  };
  try {
    return { ...(await start(options, folder, undo)), stop };
  } catch (error) {
    await stop();
    throw error;
  }
}

async function start(
  { ports, expirySeconds, origins }: SandboxOptions,
  folder: string,
  undo: Undo[],
): Promise<Omit<Sandbox, 'stop'>> {
  const page = buildPage();
  // Awaited below; a failure meanwhile must not count as unhandled.
  page.catch(() => undefined);
  const processes: Partial<Record<'server' | 'edge', Supervised>> = {};
  const isPage = (origin: string) => pageOrigins(processes.edge).includes(origin);

  const receiver = await listen('telemetry', ports.telemetry, (port) =>
    startOtlpReceiver({ port, isAllowedOrigin: isPage }),
  );
  undo.push(() => receiver.close());
  const telemetry = exportTo(receiver.url);

  const server = await supervise(
    `${HOST}:${ports.grpc}`,
    serviceProgram({ folder, telemetry, metrics: `${HOST}:${ports.metrics}` }),
  );
  processes.server = server;
  undo.push(() => server.stop());
  const clients = createClients();
  const realms = createRealms(expirySeconds);
  const connection = connect({ address: server.address, credentials: credentials.createInsecure() });
  await provision(connection, realms, clients);
  const proof = await issueAndValidate(connection, DESTINATIONS[0]);
  connection.close();

  const client = createCredentialClient({ address: server.address, token: clients.gateway.token });
  undo.push(() => client.close());
  const gateway = createGateway({
    verifier: verifyByService(client),
    createMedia: createEcho,
    time: systemTime,
    newId: randomUUID,
  });
  const app = await createGatewayApp(gateway, { mayControl: isPage });
  addSandboxRoutes(app, { receiver, processes: () => ({ server, edge }) });
  const gatewayUrl = await listen('gateway', ports.gateway, (port) => app.listen({ host: HOST, port }));
  undo.push(async () => {
    gateway.close();
    await app.close();
  });

  const edge = await supervise(
    `${HOST}:${ports.edge}`,
    edgeProgram({
      service: server.address,
      token: clients.edge.token,
      origins,
      telemetry,
      page: {
        folder: await page,
        config: {
          gateway: { host: HOST, port: Number(new URL(gatewayUrl).port), http: 'http', websocket: 'ws' },
          control: `${gatewayUrl}/sandbox`,
          telemetry: receiver.url,
          destinations: destinationChoices(expirySeconds),
        },
      },
    }),
  );
  processes.edge = edge;
  undo.push(() => edge.stop());

  return {
    addresses: {
      grpc: server.address,
      edge: edge.address,
      gateway: gatewayUrl,
      page: `${edge.address}/`,
      telemetry: receiver.url,
      metrics: `http://${server.metrics ?? ''}`,
    },
    realms,
    proof,
    died: Promise.race([server.diedByItself, edge.diedByItself]),
  };
}

/** The page's origin by number and by name. */
function pageOrigins(edge: Supervised | undefined): string[] {
  return edge ? [edge.address, edge.address.replace(HOST, 'localhost')] : [];
}

/** The standard variables that send all traces to the sandbox's receiver, soon enough to be looked at. */
function exportTo(url: string): Readonly<Record<string, string>> {
  return {
    OTEL_EXPORTER_OTLP_ENDPOINT: url,
    OTEL_EXPORTER_OTLP_PROTOCOL: 'http/json',
    OTEL_TRACES_EXPORTER: 'otlp',
    OTEL_METRICS_EXPORTER: 'none',
    OTEL_TRACES_SAMPLER: 'parentbased_always_on',
    OTEL_BSP_SCHEDULE_DELAY: '300',
  };
}

/** Starts something on a port; says in one line which part could not have it. */
async function listen<T>(part: string, port: number, start: (port: number) => Promise<T>): Promise<T> {
  try {
    return await start(port);
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code !== 'EADDRINUSE') throw error;
    throw new Error(`port ${port} (${part}) is in use; npm start -- --ports auto uses free ports`, {
      cause: error,
    });
  }
}

/** Builds the click-to-call page where that has not been done yet, and gives the folder it lies in. */
async function buildPage(): Promise<string> {
  // Found from here both as source and as built file.
  const builder = (await import(new URL('../page/build.mjs', import.meta.url).href)) as {
    buildPage: () => Promise<string>;
  };
  return builder.buildPage();
}

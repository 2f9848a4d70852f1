import { credentials, Server, ServerCredentials, type ServerOptions } from '@grpc/grpc-js';
import { connect, type ConnectOptions, type Connection } from '../client/connection.ts';
import { addService, type ServiceOptions } from '../server/add-service.ts';
import type { Handlers } from '../server/handlers.ts';
import { EchoService } from './gen/kit/v1/echo_pb.ts';

/** Echoes as the comments of echo.proto say. */
export const echoHandlers: Handlers<typeof EchoService> = {
  say: ({ text, style }) => ({ text: style?.loud ? text.toUpperCase() : text }),
  async *repeat({ text, times }) {
    for (let i = 0; times === 0 || i < times; i++) yield { text };
  },
  async join(requests) {
    let text = '';
    for await (const request of requests) text += request.text;
    return { text };
  },
  async *chat(requests) {
    for await (const { text } of requests) yield { text };
  },
};

/** A server on a free port of the loopback, with a connection to it. */
export interface RunningServer {
  readonly connection: Connection;
  readonly address: string;
  stop(): void;
}

/** Starts a server with what `register` puts on it. */
export async function startServer(
  register: (server: Server) => void,
  options: Partial<ConnectOptions> = {},
  serverOptions: ServerOptions = {},
): Promise<RunningServer> {
  const server = new Server(serverOptions);
  register(server);
  const port = await new Promise<number>((resolve, reject) => {
    server.bindAsync('127.0.0.1:0', ServerCredentials.createInsecure(), (error, bound) => {
      if (error) reject(error);
      else resolve(bound);
    });
  });
  const address = `127.0.0.1:${port}`;
  const connection = connect({ address, credentials: credentials.createInsecure(), ...options });
  return {
    address,
    connection,
    stop() {
      connection.close();
      server.forceShutdown();
    },
  };
}

/** Starts a server with the echo service, some handlers of which may be others. */
export function startEcho(
  overrides: Partial<Handlers<typeof EchoService>> = {},
  options: ServiceOptions = {},
  clientOptions: Partial<ConnectOptions> = {},
  serverOptions: ServerOptions = {},
): Promise<RunningServer> {
  return startServer(
    (server) => addService(server, EchoService, { ...echoHandlers, ...overrides }, options),
    clientOptions,
    serverOptions,
  );
}

/** Takes all of a stream. */
export async function collect<T>(stream: AsyncIterable<T>): Promise<T[]> {
  const all: T[] = [];
  for await (const item of stream) all.push(item);
  return all;
}

/** Streams these items in order. */
export async function* streamOf<T>(...items: T[]): AsyncGenerator<T> {
  yield* items;
}

/** Returns the error of a rejected promise. Throws if it resolves. */
export async function rejectionOf(promise: Promise<unknown>): Promise<unknown> {
  let value: unknown;
  try {
    value = await promise;
  } catch (error) {
    return error;
  }
  throw new TypeError(`expected a rejection, got ${JSON.stringify(value)}`);
}

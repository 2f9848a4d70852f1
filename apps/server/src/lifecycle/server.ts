import { KeyedHash, type Clock, type Store } from '@callpass/domain';
import {
  addReflection,
  addService,
  assertEveryMethodHasRow,
  createHealth,
  validation,
  warmUp,
} from '@callpass/grpc-kit';
import { migrateStore, openStore } from '@callpass/storage';
import { serverTelemetry } from '@callpass/telemetry';
import { Health } from '@callpass/rpc-protos/gen/grpc/health/v1/health_pb.js';
import { Server, ServerCredentials } from '@grpc/grpc-js';
import { LOCAL_PRINCIPAL } from '../credentials/principal.ts';
import { Refusal } from '../errors/refusal.ts';
import { createMapError, type OnFault } from '../errors/map-error.ts';
import { adminHandlers } from '../handlers/admin-service.ts';
import { credentialHandlers } from '../handlers/credential-service.ts';
import { identify } from '../handlers/identify.ts';
import { ledgerHandlers } from '../handlers/ledger-service.ts';
import { MemoryLimiter } from '../limits/memory-limiter.ts';
import { describeError, type Logger } from '../log.ts';
import { METHODS, SERVICES } from '../methods.ts';
import { SettingsError } from '../settings/load.ts';
import type { Settings } from '../settings/schema.ts';
import { CurrentState } from '../state/current-state.ts';
import { shutDown } from './drain.ts';
import { loadKeyEncryptionKey } from './key-encryption.ts';
import { assertPlaintextAllowed } from './listen-address.ts';

/** A server that serves. */
export interface RunningServer {
  /** host:port as it is bound. */
  readonly address: string;
  /**
   * Drains and stops: health says NOT_SERVING, connections get GOAWAY, requests under way may end within the grace time,
   * what is left is cut off. Calling it again joins the first call.
   */
  stop(): Promise<void>;
}

const systemClock: Clock = { now: () => Date.now() };

/**
 * Builds the server from its settings and starts it: store, state, limits, handlers, health, reflection.
 *
 * @throws {SettingsError | StoreError} with a text for the operator when it cannot start; then nothing is left running.
 */
export async function startServer(
  settings: Settings,
  log: Logger,
  clock: Clock = systemClock,
): Promise<RunningServer> {
  assertPlaintextAllowed(settings.listen.address);
  const sealKey = loadKeyEncryptionKey(settings);
  const { url } = settings.store;
  if (settings.store.migrateOnStart) {
    const { applied } = await migrateStore({ url, sealKey });
    if (applied.length > 0) log.info({ applied }, 'store migrated');
  }
  const store = await openStore({ url, sealKey });
  try {
    return await serve({ settings, log, clock, store });
  } catch (error) {
    await store.close();
    throw error;
  }
}

async function serve(parts: {
  settings: Settings;
  log: Logger;
  clock: Clock;
  store: Store;
}): Promise<RunningServer> {
  const { settings, log, clock, store } = parts;
  const state = await CurrentState.follow(store, {
    pollIntervalMs: settings.store.pollInterval,
    events: {
      onChanged: ({ revision }) => {
        log.info({ revision }, 'state changed');
      },
      onFailed: (error) => {
        log.warn({ error: describeError(error) }, 'cannot follow the store; the last state stays in force');
      },
    },
  });
  const onFault: OnFault = ({ error, method, traceId }) => {
    log.error({ method, traceId, error: describeError(error) }, 'fault');
  };
  const dependencies = {
    state,
    store,
    clock,
    limiter: new MemoryLimiter(),
    keyedHash: new KeyedHash(store.ledgerSecret),
    onFault,
  };

  const server = new Server({
    'grpc.max_receive_message_length': settings.requests.maxMessageBytes,
    'grpc.max_send_message_length': -1,
    // Nobody reads it here, and it keeps a record of every connection and call.
    'grpc.enable_channelz': 0,
  });
  const services = Object.values(SERVICES);
  assertEveryMethodHasRow(services, METHODS);
  warmUp(services);
  const options = {
    interceptors: [
      serverTelemetry(telemetryAddress(settings.listen.address)),
      identify(recogniseLocal(settings), METHODS),
      validation(),
    ],
    mapError: createMapError(onFault),
  };
  addService(server, SERVICES.credentials, credentialHandlers(dependencies), options);
  addService(server, SERVICES.admin, adminHandlers(dependencies), options);
  addService(server, SERVICES.ledger, ledgerHandlers(dependencies), options);
  const health = createHealth(services);
  health.addTo(server);
  if (settings.reflection) addReflection(server, [...services, Health]);

  const address = await bind(server, settings.listen.address).catch((error: unknown) => {
    state.stop();
    throw error;
  });
  health.setAll('SERVING');
  log.info({ address, revision: state.snapshot.revision }, 'serving');

  let stopping: Promise<void> | undefined;
  return {
    address,
    stop: () =>
      (stopping ??= shutDown({ server, health, graceMs: settings.drain.grace, log }).then(async () => {
        state.stop();
        await store.close();
        log.info('stopped');
      })),
  };
}

function recogniseLocal(settings: Settings) {
  return () => {
    if (settings.access.local === 'everything') return LOCAL_PRINCIPAL;
    throw new Refusal('CLIENT_UNKNOWN');
  };
}

/** Where the server is asked to listen, for the spans: the port it is given with 0 says nothing to a reader. */
function telemetryAddress(address: string): { serverAddress: string; serverPort: number } {
  const colon = address.lastIndexOf(':');
  return { serverAddress: address.slice(0, colon), serverPort: Number(address.slice(colon + 1)) };
}

function bind(server: Server, address: string): Promise<string> {
  return new Promise((resolve, reject) => {
    server.bindAsync(address, ServerCredentials.createInsecure(), (error, port) => {
      if (error) {
        const why = /EADDRINUSE/.test(error.message) ? 'the address is in use' : error.message;
        reject(new SettingsError([`listen.address: cannot listen on ${address}: ${why}`]));
        return;
      }
      resolve(`${address.slice(0, address.lastIndexOf(':'))}:${port}`);
    });
  });
}

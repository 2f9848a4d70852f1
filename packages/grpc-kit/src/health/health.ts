import type { DescService } from '@bufbuild/protobuf';
import {
  Health,
  HealthCheckResponse_ServingStatus as Wire,
} from '@callpass/rpc-protos/gen/grpc/health/v1/health_pb.js';
import { Metadata, type Server, status } from '@grpc/grpc-js';
import { RpcError } from '../error/rpc-error.ts';
import { addService, type ServiceOptions } from '../server/add-service.ts';
import type { Handlers } from '../server/handlers.ts';

/** Health status of a service. */
export type HealthStatus = 'SERVING' | 'NOT_SERVING';

/** Health of a server and its services, served as grpc.health.v1. */
export interface HealthReporter {
  /** Registers grpc.health.v1.Health. */
  addTo(server: Server, options?: ServiceOptions): void;
  /** Sets the status of a service, or with `''` of the server as a whole. Adds a new name. */
  set(service: DescService | string, status: HealthStatus): void;
  /** Sets the status of the server and of all services. */
  setAll(status: HealthStatus): void;
  /**
   * Sets NOT_SERVING everywhere, permanently, and ends each Watch, since open streams would keep a server from draining. A
   * later Watch gets one NOT_SERVING and ends.
   */
  shutdown(): void;
}

/**
 * Creates the health of a server. It and each service are NOT_SERVING until set. `header` is sent with each answer of Check and
 * List, for facts such as the server's version.
 */
export function createHealth(services: Iterable<DescService>, header = new Metadata()): HealthReporter {
  const statuses = new Map<string, Wire>([['', Wire.NOT_SERVING]]);
  for (const service of services) statuses.set(service.typeName, Wire.NOT_SERVING);
  const watchers = new Set<() => void>();
  let down = false;

  const wakeAll = () => watchers.forEach((wake) => wake());
  const setAll = (value: Wire) => {
    for (const name of statuses.keys()) statuses.set(name, value);
    wakeAll();
  };
  const handlers: Handlers<typeof Health> = {
    check({ service }, call) {
      call.sendHeader(header);
      const current = statuses.get(service);
      if (current === undefined) throw new RpcError(status.NOT_FOUND, 'unknown service');
      return { status: current };
    },
    async *watch({ service }, call) {
      const { signal } = call;
      let sent: Wire | undefined;
      for (;;) {
        const current = statuses.get(service) ?? Wire.SERVICE_UNKNOWN;
        if (current !== sent) yield { status: (sent = current) };
        // Compared with the map, so that a change while the response was taken is not missed.
        if (signal.aborted || down) return;
        if ((statuses.get(service) ?? Wire.SERVICE_UNKNOWN) === sent) await changed(watchers, signal);
      }
    },
    list(_request, call) {
      call.sendHeader(header);
      return {
        statuses: Object.fromEntries([...statuses].map(([name, current]) => [name, { status: current }])),
      };
    },
  };

  return {
    addTo: (server, options) => addService(server, Health, handlers, options),
    set(service, value) {
      if (down) return;
      statuses.set(typeof service === 'string' ? service : service.typeName, Wire[value]);
      wakeAll();
    },
    setAll(value) {
      if (!down) setAll(Wire[value]);
    },
    shutdown() {
      down = true;
      setAll(Wire.NOT_SERVING);
    },
  };
}

function changed(watchers: Set<() => void>, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const done = () => {
      watchers.delete(done);
      signal.removeEventListener('abort', done);
      resolve();
    };
    watchers.add(done);
    signal.addEventListener('abort', done);
  });
}

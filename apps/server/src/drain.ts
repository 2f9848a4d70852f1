import type { HealthReporter, ServerCall, ServerInterceptor } from '@callpass/grpc-kit';
import type { Server } from '@grpc/grpc-js';
import type { Logger } from '@callpass/program/log';
import { LAST_STATUSES_MS } from './connections/connection-end.ts';
import { Refusal } from './errors/refusal.ts';

/** Calls under way, so that those that do not end by themselves can be given a status. */
export class CallsUnderWay {
  readonly #calls = new Set<ServerCall>();

  /** Follows each call to its end. */
  readonly interceptor: ServerInterceptor = (call, next) => {
    this.#calls.add(call);
    call.onEnd(() => this.#calls.delete(call));
    return next(call);
  };

  /** Ends all, or those of a connection by its address and port, with `SERVER_STOPPING`. */
  cutOff(peer?: string): void {
    for (const call of this.#calls)
      if (peer === undefined || call.peer === peer) call.abandon(new Refusal('SERVER_STOPPING'));
  }
}

/**
 * Stops a server without failing what it has accepted: health says NOT_SERVING, so that balancers look elsewhere;
 * connections get GOAWAY; requests under way end by themselves. What has not ended after `graceMs` is cut off, so that
 * one stuck client cannot keep the process alive. It gets a status first: from a connection that is only closed, each client
 * library would make one of its own, that of Node `INTERNAL`, which nobody repeats.
 */
export async function shutDown(parts: {
  server: Server;
  health: HealthReporter;
  underWay: CallsUnderWay;
  graceMs: number;
  log: Logger;
}): Promise<void> {
  const { server, health, underWay, graceMs, log } = parts;
  log.info({ graceMs }, 'draining');
  health.shutdown();
  await new Promise<void>((resolve) => {
    let timer = setTimeout(() => {
      log.warn({ graceMs }, 'grace time is over: cutting off what is left');
      underWay.cutOff();
      timer = setTimeout(() => {
        server.forceShutdown();
        resolve();
      }, LAST_STATUSES_MS);
    }, graceMs);
    server.tryShutdown(() => {
      clearTimeout(timer);
      resolve();
    });
  });
}

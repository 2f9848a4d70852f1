import type { HealthReporter } from '@callpass/grpc-kit';
import type { Server } from '@grpc/grpc-js';
import type { Logger } from '@callpass/program/log';

/**
 * Stops a server without failing what it has accepted: health says NOT_SERVING, so that balancers look elsewhere;
 * connections get GOAWAY; requests under way end by themselves. What has not ended after `graceMs` is cut off, so that
 * one stuck client cannot keep the process alive.
 */
export async function shutDown(parts: {
  server: Server;
  health: HealthReporter;
  graceMs: number;
  log: Logger;
}): Promise<void> {
  const { server, health, graceMs, log } = parts;
  log.info({ graceMs }, 'draining');
  health.shutdown();
  await new Promise<void>((resolve) => {
    const timer = setTimeout(() => {
      log.warn({ graceMs }, 'grace time is over: cutting off what is left');
      server.forceShutdown();
      resolve();
    }, graceMs);
    server.tryShutdown(() => {
      clearTimeout(timer);
      resolve();
    });
  });
}

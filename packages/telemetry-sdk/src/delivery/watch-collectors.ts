import { connect } from 'node:net';
import type { Destination, Environment, Signal } from '../variables.ts';
import type { Delivery } from './delivery.ts';

/** An export is tried for up to 10 s and metrics are sent once a minute: a collector that is gone is found sooner this way. */
const LOOK_EVERY_MS = 5000;
const CONNECT_LIMIT_MS = 2000;

/**
 * Opens a connection to each collector every 5 s, sends nothing and closes it, and reports whether there was one. A collector that takes
 * exports and no such connection is behind a proxy: it is not looked at any more.
 *
 * @returns a function that ends it.
 */
export function watchCollectors(
  destinations: readonly (Pick<Destination, 'host' | 'port'> & { readonly signal: Signal })[],
  delivery: Delivery,
  everyMs = LOOK_EVERY_MS,
): () => void {
  const timers = destinations.map(({ signal, ...place }) => {
    let deliveriesBefore: number | undefined;
    const look = async () => {
      const cause = await reach(place);
      const deliveries = delivery.deliveries(signal);
      if (cause !== undefined && deliveriesBefore !== undefined && deliveries > deliveriesBefore) {
        clearInterval(timer);
        delivery.noteConnection(signal, undefined);
        return;
      }
      deliveriesBefore = cause === undefined ? undefined : deliveries;
      delivery.noteConnection(signal, cause);
    };
    const timer = setInterval(() => void look(), everyMs).unref();
    return timer;
  });
  return () => {
    for (const timer of timers) clearInterval(timer);
  };
}

/** Resolves with why no connection could be made, or `undefined` when one could. */
function reach({ host, port }: Pick<Destination, 'host' | 'port'>): Promise<string | undefined> {
  return new Promise((resolve) => {
    const socket = connect({ host, port });
    const end = (cause?: string) => {
      clearTimeout(timer);
      socket.destroy();
      resolve(cause);
    };
    const timer = setTimeout(() => end(`no connection within ${CONNECT_LIMIT_MS} ms`), CONNECT_LIMIT_MS);
    timer.unref();
    socket.unref();
    socket.on('connect', () => end());
    socket.on('error', (error: NodeJS.ErrnoException) => end(error.code ?? error.message));
  });
}

/** Tests whether the environment names a proxy, which the SDK uses for gRPC. */
export function hasProxy(environment: Environment): boolean {
  return ['grpc_proxy', 'http_proxy', 'https_proxy'].some((name) => environment[name]);
}

import { CONNECTION_CAUSES, METRICS, type ConnectionCause, type Instruments } from '@callpass/telemetry';

/** Counts connections that are rejected. */
export function createRejectedCounter(make: Instruments): (cause: ConnectionCause) => void {
  const rejected = make.counter(METRICS.connectionsTurnedAway);
  // From the start at zero: a rate is of a rise, and the first of all would not be one.
  for (const cause of CONNECTION_CAUSES) rejected(cause);
  return (cause) => {
    rejected(cause).add();
  };
}

/** Measures how many connections are open. */
export function measureConnections(make: Instruments, connections: { readonly open: number }): void {
  make.gauge(METRICS.connectionsOpen, () => connections.open);
}

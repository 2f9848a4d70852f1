import { CONNECTION_CAUSES, METRICS, type ConnectionCause, type Instruments } from '@callpass/telemetry';

/** Counts connections that are turned away. */
export function createTurnedAwayCounter(make: Instruments): (cause: ConnectionCause) => void {
  const turnedAway = make.counter(METRICS.connectionsTurnedAway);
  // From the start at zero: a rate is of a rise, and the first of all would not be one.
  for (const cause of CONNECTION_CAUSES) turnedAway(cause);
  return (cause) => {
    turnedAway(cause).add();
  };
}

/** Measures how many connections are open. */
export function measureConnections(make: Instruments, connections: { readonly open: number }): void {
  make.gauge(METRICS.connectionsOpen, () => connections.open);
}

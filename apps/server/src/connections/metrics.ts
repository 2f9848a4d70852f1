import {
  CONNECTION_CAUSES,
  METRICS,
  REQUEST_FAULTS,
  type ConnectionCause,
  type Instruments,
  type RequestFault,
} from '@callpass/telemetry';

/** Counts connections that are rejected. */
export function createRejectedCounter(make: Instruments): (cause: ConnectionCause) => void {
  const rejected = make.counter(METRICS.connectionsTurnedAway);
  // From the start at zero: a rate is of a rise, and the first of all would not be one.
  for (const cause of CONNECTION_CAUSES) rejected(cause);
  return (cause) => {
    rejected(cause).add();
  };
}

/** Counts requests that are refused for their form. */
export function createRequestRejectedCounter(make: Instruments): (fault: RequestFault) => void {
  const rejected = make.counter(METRICS.requestsRejected);
  // From the start at zero, as above.
  for (const fault of REQUEST_FAULTS) rejected(fault);
  return (fault) => {
    rejected(fault).add();
  };
}

/** Measures how many connections are open. */
export function measureConnections(make: Instruments, connections: { readonly open: number }): void {
  make.gauge(METRICS.connectionsOpen, () => connections.open);
}

/** A thing that could not be asked, and what to do about it. */
export interface Unreached {
  readonly fault: string;
  readonly next: string;
}

/** State of the service as its RPCs tell it. */
export interface ServiceView {
  readonly address: string;
  /** Health of each service; the server has an empty name. */
  readonly health: readonly { readonly service: string; readonly isServing: boolean }[] | Unreached;
  /** Configuration and freezes, for operators only. */
  readonly state: { readonly revision: number; readonly freezeCount: number } | Unreached;
}

/** An instance as its metrics tell it. Rates are those since the look before; `undefined` at the first. */
export interface InstanceView {
  readonly name: string;
  readonly unreached?: Unreached | undefined;
  readonly version?: string | undefined;
  /** `true` while it issues credentials. */
  readonly isReady?: boolean | undefined;
  readonly issuedPerSecond?: number | undefined;
  readonly refusedPerSecond?: number | undefined;
  /** 99th percentile of the duration of its calls to CredentialService. */
  readonly p99Seconds?: number | undefined;
  /** CPU time for each second; above 1 with several threads. */
  readonly cpuShare?: number | undefined;
  readonly memoryBytes?: number | undefined;
  readonly uptimeSeconds?: number | undefined;
  /** Faults in words, such as a dependency that does not answer. */
  readonly troubles: readonly string[];
}

/** Requests for credentials of a destination. */
export interface DestinationView {
  readonly destination: string;
  readonly issuedPerSecond: number;
  readonly refusedPerSecond: number;
}

/** Requests for credentials that were not granted, by reason. */
export interface ReasonView {
  readonly reason: string;
  readonly destination: string;
  readonly perSecond: number;
}

/** Calls of an RPC. */
export interface MethodView {
  readonly method: string;
  readonly perSecond: number;
  readonly p99Seconds?: number | undefined;
}

/** A limit of a destination: the largest share that any of its counters has taken, 0 to 1. */
export interface LimitView {
  readonly destination: string;
  readonly limit: string;
  readonly usedShare: number;
}

/** Something that ends or is due; the time until then is below 0 when it is past. */
export interface EndView {
  readonly what: string;
  readonly event: 'expires' | 'rotation due' | 'validates until';
  readonly inSeconds: number;
}

/** All that `callpass top` shows, most important first in each list. */
export interface TopView {
  /** Time of the look, ms since the epoch. */
  readonly timeMs: number;
  readonly intervalMs: number;
  readonly service: ServiceView;
  readonly instances: readonly InstanceView[];
  /** `false` before the second look, when nothing is known of rates. */
  readonly hasRates: boolean;
  readonly destinations: readonly DestinationView[];
  readonly reasons: readonly ReasonView[];
  readonly methods: readonly MethodView[];
  readonly limits: readonly LimitView[];
  readonly ends: readonly EndView[];
}

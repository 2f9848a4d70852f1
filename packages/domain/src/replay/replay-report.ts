import type { Configuration, Destination } from '../realm/configuration.ts';
import type { RefusalReason } from '../moderation/rules.ts';

/** A configuration to try on the past, and the part of the past. */
export interface ReplayPlan {
  readonly configuration: Configuration;
  /** Destinations of the configuration in force, for {@link ReplayCaveat} `DEFAULT_ADDRESS`. */
  readonly inForce: readonly Pick<Destination, 'id' | 'account' | 'callees'>[];
  /** Realms that have an active key now. A credential that was issued had one of its own realm. */
  readonly activeRealms: readonly string[];
  /** Clients besides those of the configuration, which may issue everywhere. */
  readonly trustedClients: readonly string[];
  /** Not before, in milliseconds since the epoch; left out, from the beginning of the ledger. */
  readonly startTimeMs?: number | undefined;
  /** Reports on this one only. Limits that count over several destinations see all requests all the same. */
  readonly destination?: string | undefined;
  /** IANA name of the zone in which hours of the week are counted. */
  readonly timeZone: string;
}

/** Reason of a refusal that a configuration decides; each is a reason of the contract. */
export type ReplayReason =
  | RefusalReason
  | 'CLIENT_UNKNOWN'
  | 'CLIENT_NOT_GRANTED'
  | 'DESTINATION_UNKNOWN'
  | 'KEY_NOT_ACTIVE'
  | 'LIMIT_EXCEEDED';

/** One of the requests that differ. */
export interface ReplayExample {
  readonly timeMs: number;
  /** Empty for a request that was refused. */
  readonly issuanceId: string;
  /** Empty where the request had no trace. */
  readonly traceId: string;
}

/** Requests of one client to one destination whose outcome differs for one rule. */
export interface ReplayDifference {
  /** Outcome that they would have. */
  readonly outcome: 'REFUSED' | 'GRANTED';
  /** Reason of the refusal: the one that would be, or of a grant the one that was. */
  readonly reason: ReplayReason;
  /** Rule of that refusal, as the ledger writes it. */
  readonly rule: string;
  readonly destination: string;
  readonly client: string;
  /** The limit that would refuse; `undefined` for other refusals, and for one that was. */
  readonly limit: { readonly max: number; readonly windowMs: number } | undefined;
  readonly count: number;
  readonly firstTimeMs: number;
  readonly lastTimeMs: number;
  /** The first of them. */
  readonly examples: readonly ReplayExample[];
}

/** Numbers of replayed requests. */
export interface ReplayCounts {
  /** Requests that were issued and that were refused, as the ledger has them. */
  readonly issued: number;
  readonly refused: number;
  /** Of the issued. */
  readonly wouldBeRefused: number;
  /** Of the refused. */
  readonly wouldBeGranted: number;
}

/** Requests of one hour of the week. */
export interface ReplayHour extends ReplayCounts {
  /** From Monday, 0 to 6. */
  readonly weekday: number;
  /** 0 to 23, by the wall clock. */
  readonly hour: number;
}

/**
 * Requests that could not be replayed, or not in full.
 * - `REFUSED_OTHERWISE`: refused for a `reason` that no configuration decides: freezes, keys, authentication, faults. Left out.
 * - `COUNTED_TOGETHER`: refusals that have one entry together, without times of their own. Left out.
 * - `REMOVED`: removed by retention. Some of them may be from before the start.
 * - `NO_SUBJECT`: named no visitor, at a destination that requires one or limits each: nobody knows who it was.
 * - `UNCOUNTED`: issued while the counters were out of reach; replayed without limits.
 * - `DEFAULT_ADDRESS`: would be refused for a callee or caller that is the default in force: granted if none was named.
 */
export interface ReplayCaveat {
  readonly cause:
    'REFUSED_OTHERWISE' | 'COUNTED_TOGETHER' | 'REMOVED' | 'NO_SUBJECT' | 'UNCOUNTED' | 'DEFAULT_ADDRESS';
  /** Recorded reason, with `REFUSED_OTHERWISE`; otherwise empty. */
  readonly reason: string;
  readonly count: number;
}

/** Outcomes that recorded requests would have had. Times in milliseconds since the epoch. */
export interface ReplayReport extends ReplayCounts {
  /** Time of the first and the last request that was replayed; `undefined` where there was none. */
  readonly firstTimeMs: number | undefined;
  readonly lastTimeMs: number | undefined;
  /** The most frequent first. */
  readonly differences: readonly ReplayDifference[];
  /** All 168 from Monday, 0 h. */
  readonly hours: readonly ReplayHour[];
  readonly timeZone: string;
  readonly caveats: readonly ReplayCaveat[];
}

/** One step of a replay. */
export interface ReplayStep {
  /** Positions of the ledger that were read, of all that are read. */
  readonly read: number;
  readonly total: number;
  /** With the last step. */
  readonly report?: ReplayReport | undefined;
}

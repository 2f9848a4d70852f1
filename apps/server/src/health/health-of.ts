import type { Reason } from '@callpass/contract';
import type { ClockDoubt } from '../clock/clock-guard.ts';
import type { Staleness } from '../state/current-state.ts';
import { limitGap, type Configuration, type Destination } from '@callpass/domain';

/** State of the things that the server works with. */
export interface Condition {
  /** The server is about to stop. */
  readonly draining: boolean;
  /** Looks in a row that the store left unanswered; `Infinity` before its first answer. */
  readonly storeMisses: number;
  /** The store answers, but entries cannot be written. */
  readonly ledgerFailing: boolean;
  /** The store is not as this service left it; what held last is in force. */
  readonly stateAltered: boolean;
  /** Something smaller than a realm is frozen, so that only a record shows whether a token is. */
  readonly validatingAsksStore: boolean;
  /** Looks in a row that the limiter left unanswered; `Infinity` before its first answer. */
  readonly limiterMisses: number;
  /** The counters of limits were lost then, and a window that they belonged to may be running; `undefined` otherwise. */
  readonly countersLostAtMs: number | undefined;
  /** No destination would be granted anything while the limiter is away. */
  readonly issuingNeedsLimiter: boolean;
  /** Cause for which the clock is not trusted; `undefined` while it is. */
  readonly clockDoubt: ClockDoubt | undefined;
  /** Cause for which the snapshot is not the newest state of the store; `undefined` while it is. */
  readonly staleness: Staleness | undefined;
  /** A realm has a key that may decrypt tokens, and that the server cannot open. */
  readonly keyUnopened: boolean;
}

/** Thing that the server works with; `ledger` is writing to the store. */
export type Dependency = 'store' | 'ledger' | 'limiter';

/** Services that the server can give now. */
export interface ServerHealth {
  /** True when somebody could get credentials. */
  readonly issuing: boolean;
  /** Reason for which every issue would be refused, if it comes while the server drains too; `undefined` where none is. */
  readonly issuingFault: Reason | undefined;
  /** True when tokens can be verified, unless the caller demands a look into the ledger. */
  readonly validating: boolean;
  /** True when requests to the vendor's gateway can be let through, which takes a look into the ledger and the newest state. */
  readonly authorizing: boolean;
  /** True when what lives in the store can be shown and changed: administration and the ledger. */
  readonly operating: boolean;
  /** True when what decides can be changed. */
  readonly administering: boolean;
  /** For metrics: whether each thing that the server works with answers. */
  readonly up: Readonly<Record<Dependency, boolean>>;
  /** For people: each thing and how it is, and what that stops. */
  readonly detail: Readonly<Record<string, string>>;
}

/** One look without an answer is no outage; so many in a row are. */
export const OUTAGE_LOOKS = 3;

/** Derives from a condition what the server can do. */
export function healthOf(condition: Condition): ServerHealth {
  const { draining, ledgerFailing, stateAltered, clockDoubt, staleness } = condition;
  const store = condition.storeMisses < OUTAGE_LOOKS;
  const limiter = condition.limiterMisses < OUTAGE_LOOKS;
  const issuingFault = issuingFaultOf({
    state: staleness === undefined,
    clock: clockDoubt === undefined,
    limiter: limiter || !condition.issuingNeedsLimiter,
    ledger: store && !ledgerFailing,
  });
  const issuing = !draining && issuingFault === undefined;
  const validating = !draining && (store || !condition.validatingAsksStore) && !condition.keyUnopened;
  return {
    issuing,
    issuingFault,
    validating,
    authorizing: validating && store && staleness === undefined,
    operating: !draining && store,
    administering: !draining && store && !stateAltered,
    up: { store, ledger: !ledgerFailing, limiter },
    detail: {
      serving: draining ? 'draining' : 'yes',
      issuing: yesOrNo(issuing),
      validating: yesOrNo(validating),
      store: store ? 'answers' : 'silent',
      ledger: ledgerFailing ? 'fails' : 'writes',
      limiter: limiter ? 'answers' : 'silent',
      counters: lossText(condition.countersLostAtMs),
      clock: clockDoubt === undefined ? 'trusted' : `untrusted: ${DOUBT_TEXTS[clockDoubt]}`,
      state: stateAltered ? 'altered by somebody else' : stateText(staleness),
    },
  };
}

const STATE_TEXTS: Readonly<Record<Staleness, string>> = {
  TOO_OLD: 'too old',
  SEALED_ANEW: 'sealed under another key-encryption key',
  UNREADABLE: 'unreadable',
};

const DOUBT_TEXTS: Readonly<Record<ClockDoubt, string>> = {
  STEPPED: 'it is not steady',
  UNCONFIRMED: 'it is steady, and nothing shows that it is right',
  DATABASE_DIFFERS: 'it differs from the clock of the database',
  LEDGER_AHEAD: 'it is behind the ledger',
};

/** State of what every issue needs, in the order in which an issue asks for it. */
interface IssuingNeeds {
  readonly state: boolean;
  readonly clock: boolean;
  readonly limiter: boolean;
  readonly ledger: boolean;
}

function issuingFaultOf(works: IssuingNeeds): Reason | undefined {
  if (!works.state) return 'SNAPSHOT_STALE';
  if (!works.clock) return 'CLOCK_UNTRUSTED';
  if (!works.limiter) return 'LIMITER_UNAVAILABLE';
  return works.ledger ? undefined : 'LEDGER_UNAVAILABLE';
}

const stateText = (staleness: Staleness | undefined) =>
  staleness === undefined ? 'newest' : STATE_TEXTS[staleness];

const lossText = (lostAtMs: number | undefined) =>
  lostAtMs === undefined ? 'kept' : `lost at ${new Date(lostAtMs).toISOString()}`;

const yesOrNo = (value: boolean) => (value ? 'yes' : 'no');

/**
 * Tests that nobody gets credentials while limits cannot be counted: each destination that is enabled has a limit that
 * applies to every request there, is enforced, and says to refuse then. A service without destinations refuses nobody for
 * that.
 */
export function allRefuseUncounted({ destinations }: Pick<Configuration, 'destinations'>): boolean {
  const enabled = destinations.filter((destination) => destination.enabled);
  return enabled.length > 0 && enabled.every(refusesUncounted);
}

function refusesUncounted(destination: Destination): boolean {
  return destination.limits.some(
    ({ shadow, whenUnavailable, per }) =>
      !shadow && whenUnavailable === 'REFUSE' && limitGap(per, destination) === undefined,
  );
}

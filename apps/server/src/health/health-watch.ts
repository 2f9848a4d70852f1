import { setTimeout as pause } from 'node:timers/promises';
import { AdminService, CredentialService, LedgerService } from '@callpass/contract';
import type { Limiter, Store } from '@callpass/domain';
import type { HealthReporter } from '@callpass/grpc-kit';
import { Authorization } from '@callpass/rpc-protos/gen/envoy/service/auth/v3/external_auth_pb.js';
import type { Readiness } from '@callpass/telemetry-sdk';
import type { Logger } from '@callpass/program/log';
import type { TrustedClock } from '../clock/watch-clock.ts';
import { longestWindowMs, type OpenLimiter } from '../limits/open-limiter.ts';
import type { Staleness } from '../state/current-state.ts';
import { hasUnopenedKey, type Snapshot } from '../state/snapshot.ts';
import { allRefuseUncounted, healthOf, type ServerHealth } from './health-of.ts';
import type { LedgerHealth } from './ledger-health.ts';
import { Probe } from './probe.ts';

/** Parts that are watched, and those that get the result. */
export interface WatchedParts {
  readonly health: HealthReporter;
  readonly log: Pick<Logger, 'info' | 'warn'>;
  readonly state: {
    readonly snapshot: Snapshot;
    readonly staleness: Staleness | undefined;
    readonly altered: boolean;
  };
  readonly store: Pick<Store, 'probe'>;
  readonly limiter: Pick<Limiter, 'peek'> & Pick<OpenLimiter['limiter'], 'lostAtMs'>;
  readonly ledger: Pick<LedgerHealth, 'failing' | 'forget'>;
  readonly clock: Pick<TrustedClock, 'doubt'>;
  /** The server decides on requests to the vendor's gateway. */
  readonly authorizes: boolean;
}

/** Interval of the looks. */
const LOOK_EVERY_MS = 1000;

/** Longest wait of a start, above all for the limiter, which may be connecting still. */
const WARM_UP_MS = 2000;
const WARM_UP_EVERY_MS = 50;

const { typeName } = CredentialService;

/** By the names of gRPC health: what has to work for SERVING. */
const NAMES: readonly (readonly [
  name: string,
  needs: 'issuing' | 'validating' | 'authorizing' | 'operating' | 'administering',
])[] = [
  // The server is worth its calls as long as it answers those that need no store.
  ['', 'validating'],
  [typeName, 'issuing'],
  [`${typeName}/${CredentialService.method.issueCredentials.name}`, 'issuing'],
  [`${typeName}/${CredentialService.method.validateToken.name}`, 'validating'],
  [Authorization.typeName, 'authorizing'],
  [AdminService.typeName, 'administering'],
  [LedgerService.typeName, 'operating'],
];

/** Looks at what the server works with, and is where gRPC health, readiness and the metric have it from. */
export class HealthWatch {
  readonly #parts: WatchedParts;
  readonly #store: Probe;
  readonly #limiter: Probe;
  #current: ServerHealth;
  #draining = false;
  #warm = false;
  #timer: NodeJS.Timeout | undefined;

  constructor(parts: WatchedParts) {
    this.#parts = parts;
    this.#store = new Probe(() => parts.store.probe());
    // No counter at all: the way there and back.
    this.#limiter = new Probe(() => parts.limiter.peek([], 0));
    this.#current = this.#evaluate();
  }

  /** State of the server as of the last look. */
  get current(): ServerHealth {
    return this.#current;
  }

  /** True from the beginning of the drain. */
  get draining(): boolean {
    return this.#draining;
  }

  /** Readiness for HTTP: ready as long as tokens can be verified. */
  readiness(): Readiness {
    const { validating, detail } = this.#current;
    return { ready: validating, detail };
  }

  /** Asks store and limiter until both have answered, for two seconds at most; reports nothing yet. */
  async warmUp(): Promise<void> {
    let over = false;
    const answered = async () => {
      for (;;) {
        await Promise.all([this.#store.look(), this.#limiter.look()]);
        if (over || this.#store.misses + this.#limiter.misses === 0) return;
        await pause(WARM_UP_EVERY_MS);
      }
    };
    await Promise.race([answered(), pause(WARM_UP_MS, undefined, { ref: false })]);
    over = true;
  }

  /** Begins to report, now and after each look. */
  start(): void {
    this.#warm = true;
    this.#report();
    this.#timer = setInterval(() => void this.look(), LOOK_EVERY_MS).unref();
  }

  /** Looks once. Reports what is known already, and each answer as it comes; resolves when there are no more to come. */
  async look(): Promise<void> {
    const report = () => {
      this.#report();
    };
    const answers = [this.#store.look().then(report), this.#limiter.look().then(report)];
    this.#report();
    await Promise.all(answers);
  }

  /** Reports from now on that the server takes no calls. */
  drain(): void {
    this.#draining = true;
    this.#current = this.#evaluate();
  }

  stop(): void {
    clearInterval(this.#timer);
  }

  #evaluate(): ServerHealth {
    const { snapshot, staleness, altered } = this.#parts.state;
    return healthOf({
      staleness,
      keyUnopened: hasUnopenedKey(snapshot),
      draining: this.#draining,
      storeMisses: this.#store.misses,
      ledgerFailing: this.#parts.ledger.failing,
      stateAltered: altered,
      validatingAsksStore: snapshot.freezes.needsRecord,
      limiterMisses: this.#limiter.misses,
      countersLostAtMs: this.#lostAtMs(snapshot),
      issuingNeedsLimiter: allRefuseUncounted(snapshot.configuration),
      clockDoubt: this.#parts.clock.doubt,
    });
  }

  /** A loss is over when the longest window that it cut short has ended. */
  #lostAtMs({ configuration }: Snapshot): number | undefined {
    const { lostAtMs } = this.#parts.limiter;
    if (lostAtMs === undefined || Date.now() - lostAtMs > longestWindowMs(configuration)) return undefined;
    return lostAtMs;
  }

  #report(): void {
    if (!this.#warm || this.#draining) return;
    const before = this.#current;
    this.#current = this.#evaluate();
    if (this.#current.operating && !before.operating) {
      // What failed while the store was away says nothing of a store that is back.
      this.#parts.ledger.forget();
      this.#current = this.#evaluate();
    }
    const { health, log, authorizes } = this.#parts;
    for (const [name, needs] of NAMES) {
      if (needs === 'authorizing' && !authorizes) continue;
      health.set(name, this.#current[needs] ? 'SERVING' : 'NOT_SERVING');
    }
    const { issuing, validating, detail } = this.#current;
    if (issuing === before.issuing && validating === before.validating) return;
    if (issuing && validating) log.info(detail, 'all can be served');
    else log.warn(detail, 'not everything can be served');
  }
}

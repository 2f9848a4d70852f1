import { type CallOptions } from '@callpass/client';
import { KeyState, type RealmKey } from '@callpass/contract';
import { EXIT } from '@callpass/program';
import { HealthCheckResponse_ServingStatus } from '@callpass/rpc-protos/gen/grpc/health/v1/health_pb.js';
import { failureOf } from '../failure.ts';
import type { Session } from '../session.ts';
import { scrape } from './scrape.ts';
import { byEnd, type Observed, viewOfMetrics } from './view-of-metrics.ts';
import type { EndView, ServiceView, TopView, Unreached } from './view.ts';

/** Instances that are looked at, and the time between two looks. */
export interface LookOptions {
  readonly metrics: readonly URL[];
  readonly intervalMs: number;
  readonly signal: AbortSignal;
}

/** Time limit of each answer: a look should not wait longer for one that hangs. */
const LOOK_TIMEOUT_MS = 3000;

/** Looks at the service and its instances again and again. Rates are of the time between two looks. */
export class Looker {
  readonly #session: Session;
  readonly #options: LookOptions;
  readonly #timeoutMs: number;
  #observed: readonly Observed[] = [];

  constructor(session: Session, options: LookOptions) {
    this.#session = session;
    this.#options = options;
    this.#timeoutMs = Math.min(session.timeoutMs, LOOK_TIMEOUT_MS);
  }

  /** Looks once. Never rejects because something cannot be reached; the view says so. */
  async look(): Promise<TopView> {
    const call = { timeoutMs: this.#timeoutMs, signal: this.#options.signal };
    const earlier = this.#observed;
    const [observed, health, operated] = await Promise.all([
      Promise.all(this.#options.metrics.map((url, index) => this.#observe(url, earlier[index]))),
      healthOf(this.#session, call),
      stateOf(this.#session, call),
    ]);
    this.#observed = observed;
    const view = viewOfMetrics(observed);
    const timeMs = Date.now();
    const { state, keys } = operated;
    return {
      ...view,
      timeMs,
      intervalMs: this.#options.intervalMs,
      service: { address: this.#session.address, health, state },
      ends: [...view.ends, ...endsOfKeys(keys, timeMs)].sort(byEnd),
    };
  }

  async #observe(url: URL, earlier: Observed | undefined): Promise<Observed> {
    const name = url.host;
    try {
      const last = await scrape(url, { timeoutMs: this.#timeoutMs, signal: this.#options.signal });
      return { name, last, before: earlier && 'samples' in earlier.last ? earlier.last : undefined };
    } catch (error) {
      const { code, message } = error as NodeJS.ErrnoException;
      const next = 'see that the setting telemetry.address is set there, and give --metrics URL';
      return { name, last: { fault: code ?? message, next } };
    }
  }
}

async function healthOf({ health }: Session, call: CallOptions): Promise<ServiceView['health']> {
  try {
    const { statuses } = await health.list({}, call);
    return Object.entries(statuses).map(([service, { status }]) => ({
      service,
      isServing: status === HealthCheckResponse_ServingStatus.SERVING,
    }));
  } catch (error) {
    return unreachedOf(error, REACH);
  }
}

interface Operated {
  readonly state: ServiceView['state'];
  readonly keys: readonly RealmKey[];
}

async function stateOf({ admin }: Session, call: CallOptions): Promise<Operated> {
  try {
    const [{ revisions }, { freezes }, { realmKeys }] = await Promise.all([
      admin.listConfigurationRevisions({ pageSize: 1 }, call),
      admin.listFreezes({}, call),
      admin.listRealmKeys({ realm: '' }, call),
    ]);
    const revision = revisions[0]?.revision ?? 0;
    return { state: { revision, freezeCount: freezes.length }, keys: realmKeys };
  } catch (error) {
    return {
      state: await unreachedOf(error, NEEDS_ROLE),
      keys: [],
    };
  }
}

const REACH = 'callpass doctor says whether server, --address, --ca, --cert and --key fit';
const NEEDS_ROLE = 'configuration, freezes and keys need the role OPERATOR';

async function unreachedOf(error: unknown, next: string): Promise<Unreached> {
  const { details, exitCode } = await failureOf(error);
  const { message, reason = message } = details;
  return exitCode === EXIT.unreachable ? { fault: message, next: REACH } : { fault: reason, next };
}

/** The retired keys that still validate. */
function endsOfKeys(keys: readonly RealmKey[], nowMs: number): readonly EndView[] {
  return keys.flatMap(({ realm, version, state, validateUntilTime }) => {
    const inSeconds = Number(validateUntilTime?.seconds ?? 0n) - nowMs / 1000;
    if (state !== KeyState.RETIRED || inSeconds <= 0) return [];
    return [{ what: `retired key ${version} of ${realm}`, event: 'validates until' as const, inSeconds }];
  });
}

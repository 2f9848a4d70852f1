import type { Configuration as ConfigurationMessage } from '@callpass/contract';
import {
  fullLimit,
  LimiterError,
  limitKeys,
  uncounted,
  type Clock,
  type Configuration,
  type KeyedHash,
  type LimitCheck,
  type Limiter,
  type LimitReading,
} from '@callpass/domain';
import { decide, grantedDestination, encryptionOf, type AskedFor } from '../credentials/decide.ts';
import { assertMayGoUncounted, limitExceeded } from '../credentials/take-limits.ts';
import { Visitor } from '../credentials/visitor.ts';
import { Refusal } from '../errors/refusal.ts';
import { principalOf } from '../state/client-index.ts';
import { configurationFromMessage } from '../state/configuration-from-message.ts';
import { LOCAL_PRINCIPAL, type Principal } from '../state/principal.ts';
import { compileDestinations, type Snapshot, type SnapshotRealm } from '../state/snapshot.ts';
import { problemsOf, refuseProblems } from './configuration.ts';

/** Ports that a trial needs. It changes nothing through them. */
export interface TryDependencies {
  readonly state: { readonly snapshot: Snapshot };
  readonly limiter: Pick<Limiter, 'peek'>;
  readonly clock: Clock;
  readonly keyedHash: KeyedHash;
}

/** A request to try, its client and its time. Texts left out are empty. */
export interface TryRequest extends AskedFor {
  readonly destination: string;
  /** Empty: nobody in particular, who may ask for everything and whom no limit per client counts. */
  readonly client: string;
  /** Left out: now. */
  readonly atMs: number | undefined;
  /** Left out: the one in force. */
  readonly configuration: ConfigurationMessage | undefined;
}

/** The outcome that the request would have. */
export type Tried =
  | {
      readonly allowed: true;
      readonly callee: string;
      readonly caller: string;
      readonly unrestricted: boolean;
      readonly readings: readonly LimitReading[];
    }
  | {
      readonly allowed: false;
      readonly refusal: Refusal;
      readonly atMs: number;
      readonly readings: readonly LimitReading[];
    };

/**
 * Says what would happen to a request, by the very rules that issuing goes by, without issuing, counting or recording.
 *
 * @throws {Refusal} `REQUEST_INVALID` for a document that does not hold.
 */
export async function tryIssue(dependencies: TryDependencies, request: TryRequest): Promise<Tried> {
  const { limiter, clock, keyedHash } = dependencies;
  const snapshot = snapshotToTry(dependencies.state.snapshot, request.configuration);
  const nowMs = clock.now();
  const atMs = request.atMs ?? nowMs;
  let readings: readonly LimitReading[] = [];
  try {
    const principal = principalNamed(snapshot.configuration, request.client);
    const compiled = grantedDestination(snapshot, principal, request.destination);
    const visitor = new Visitor(principal.client, request.subject, keyedHash);
    const checks = limitKeys(compiled, visitor);
    const looked = await look(limiter, checks, nowMs);
    readings = looked.readings;
    const parties = decide(snapshot, compiled, { request, visitor, nowMs: atMs });
    const encryption = encryptionOf(snapshot, compiled);
    if (looked.error) assertMayGoUncounted(checks, looked.error);
    refuseFull(readings, { destination: request.destination, nowMs, atMs });
    const { callee, caller } = parties;
    return { allowed: true, callee, caller, unrestricted: encryption === undefined, readings };
  } catch (error) {
    if (error instanceof Refusal) return { allowed: false, refusal: error, atMs, readings };
    throw error;
  }
}

/** The state in force with another configuration. Keys, freezes and counters stay. */
function snapshotToTry(snapshot: Snapshot, message: ConfigurationMessage | undefined): Snapshot {
  if (!message) return snapshot;
  refuseProblems(problemsOf(message));
  const configuration = configurationFromMessage(message);
  const realms = configuration.realms.map((realm) => {
    const known = snapshot.realms.get(realm.name);
    const same = known?.realm.cipher === realm.cipher ? known : undefined;
    return [
      realm.name,
      { active: undefined, keys: [], hasUnopenedKey: false, ...same, realm } satisfies SnapshotRealm,
    ] as const;
  });
  return {
    ...snapshot,
    configuration,
    realms: new Map(realms),
    destinations: compileDestinations(configuration),
  };
}

const ANYBODY: Principal = { ...LOCAL_PRINCIPAL, client: '' };

function principalNamed({ clients }: Configuration, name: string): Principal {
  if (name === '') return ANYBODY;
  const client = clients.find((each) => each.name === name);
  if (client) return principalOf(client);
  if (name === LOCAL_PRINCIPAL.client) return LOCAL_PRINCIPAL;
  throw new Refusal('CLIENT_UNKNOWN', {
    rule: 'clients',
    message: "the configuration has no such client; 'callpass config get' lists them",
  });
}

async function look(
  limiter: Pick<Limiter, 'peek'>,
  checks: readonly LimitCheck[],
  nowMs: number,
): Promise<{ readings: readonly LimitReading[]; error?: LimiterError }> {
  if (checks.length === 0) return { readings: [] };
  try {
    return { readings: await limiter.peek(checks, nowMs) };
  } catch (error) {
    if (error instanceof LimiterError) return { readings: uncounted(checks), error };
    throw error;
  }
}

/** Only windows that run at the time asked about can refuse then; what will be taken until then nobody knows. */
function refuseFull(
  readings: readonly LimitReading[],
  { destination, nowMs, atMs }: { destination: string; nowMs: number; atMs: number },
): void {
  if (atMs < nowMs) return;
  const full = fullLimit(readings.filter(({ resetAfterMs }) => nowMs + resetAfterMs > atMs));
  if (!full) return;
  throw limitExceeded(full.check, { destination, retryAfterMs: nowMs + full.resetAfterMs - atMs });
}

import { limitKeys } from '../moderation/limits.ts';
import { MemoryLimiter } from '../moderation/memory-limiter.ts';
import { compileDestination, moderate, type CompiledDestination } from '../moderation/rules.ts';
import { covers, grantedScope, type Scope } from '../realm/scope.ts';
import type { ReplayDifference, ReplayPlan, ReplayReason } from './replay-report.ts';

/** A recorded request. */
export interface RecordedRequest {
  /** Milliseconds since the epoch. */
  readonly timeMs: number;
  readonly client: string;
  readonly destination: string;
  /** Empty: the default. */
  readonly callee: string;
  /** Empty: the default. */
  readonly caller: string;
  /** Keyed hash of the visitor; empty where none was named. */
  readonly subjectHash: string;
  /** Realm for which it had an active key then; empty where it is not known. */
  readonly realm: string;
  /** Set where its limits were out of reach: it is not counted. */
  readonly uncounted: boolean;
}

/** Outcome that a request would have. */
export type ProposedOutcome = { readonly granted: true } | Refused;

interface Refused extends Pick<ReplayDifference, 'limit' | 'rule'> {
  readonly granted: false;
  readonly reason: ReplayReason;
}

const GRANTED: ProposedOutcome = { granted: true };

/**
 * The rules of a proposed configuration on requests in the order of their recording: the checks of an issue in their order,
 * without freezes, and with limits that count what these rules grant.
 */
export class ProposedRules {
  readonly #destinations: ReadonlyMap<string, CompiledDestination>;
  readonly #issuers: ReadonlyMap<string, Scope>;
  readonly #activeRealms: ReadonlySet<string>;
  readonly #limiter = new MemoryLimiter();

  constructor(plan: Pick<ReplayPlan, 'configuration' | 'activeRealms' | 'trustedClients'>) {
    const { destinations, clients } = plan.configuration;
    this.#destinations = new Map(destinations.map((each) => [each.id, compileDestination(each)]));
    this.#issuers = new Map<string, Scope>([
      ...plan.trustedClients.map((name) => [name, 'ALL'] as const),
      ...clients.map(({ name, grants }) => [name, grantedScope(grants, 'ISSUER', 'destinations')] as const),
    ]);
    this.#activeRealms = new Set(plan.activeRealms);
  }

  /** Tests that a rule of a destination depends on the visitor. */
  needsVisitor(destination: string): boolean {
    const compiled = this.#destinations.get(destination);
    if (compiled === undefined) return false;
    return compiled.destination.requireSubject || compiled.limits.some(({ each }) => each === 'subjectHash');
  }

  /** Decides on the next request. */
  decide(request: RecordedRequest): ProposedOutcome {
    const { client, subjectHash, timeMs } = request;
    const scope = this.#issuers.get(client);
    if (scope === undefined) return refused('CLIENT_UNKNOWN', 'clients');
    const compiled = this.#destinations.get(request.destination);
    if (!compiled) return refused('DESTINATION_UNKNOWN', 'grant');
    if (!covers(scope, request.destination)) return refused('CLIENT_NOT_GRANTED', 'grant');
    const { callee, caller } = request;
    const decision = moderate(compiled, { callee, caller, subject: subjectHash, nowMs: timeMs });
    if (!decision.allow) return refused(decision.reason, decision.rule);
    const { realm } = compiled.destination;
    if (realm !== undefined && realm !== request.realm && !this.#activeRealms.has(realm))
      return refused('KEY_NOT_ACTIVE', 'realm');
    if (request.uncounted) return GRANTED;
    const taken = this.#limiter.take(limitKeys(compiled, { client, subjectHash }), timeMs);
    if (taken.allowed) return GRANTED;
    const { name, max, windowMs } = taken.limit;
    return { ...refused('LIMIT_EXCEEDED', name), limit: { max, windowMs } };
  }
}

function refused(reason: ReplayReason, rule: string): Refused {
  return { granted: false, reason, rule, limit: undefined };
}

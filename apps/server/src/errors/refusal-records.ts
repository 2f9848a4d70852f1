import { countedTogetherRule, type Clock, type EntryDraft, type Store } from '@callpass/domain';
import type { ServerCall } from '@callpass/grpc-kit';
import { describeError, type Logger } from '@callpass/program/log';
import { SPAN_COMMIT, traceId } from '@callpass/telemetry';
import { peerOfCall } from '../peer.ts';
import type { Principal } from '../state/principal.ts';
import type { Refusal } from './refusal.ts';
import { step } from './steps.ts';

/** Client of a call, and the call. */
export interface Caller {
  readonly principal: Principal;
  readonly call: Pick<ServerCall, 'peer' | 'methodName'>;
}

/** Fields of the entry that the request gives; those that do not apply are left out. */
export type RefusedRequest = Omit<EntryDraft, 'kind' | 'timeMs' | 'client' | 'reason' | 'rule'>;

/** Entries of one kind in a window, before the others are counted. */
export const MAX_ALIKE = 10;
/** Kinds that are told apart in a window. Those beyond are told apart by client and reason only. */
export const MAX_KINDS = 1000;
const WINDOW_MS = 60_000;

interface Alike {
  count: number;
  /** Entry of those that were only counted, without their number. */
  readonly counted: EntryDraft;
}

/**
 * Records refusals of recognised clients. A client may cause any number of them, so the ledger must not grow with it: of the
 * refusals that are alike, the first {@link MAX_ALIKE} in a window have an entry each, and the others have one together at its
 * end, with their number in `rule`. Alike are those of one client, reason, rule, destination (or realm, or RPC) and peer.
 */
export class RefusalRecords {
  readonly #dependencies: Dependencies;
  readonly #alike = new Map<string, Alike>();
  #timer: NodeJS.Timeout | undefined;

  constructor(dependencies: Dependencies) {
    this.#dependencies = dependencies;
  }

  /** Records or counts a refusal. Resolves when its entry is durable, if it has one; throws StoreError when that cannot be. */
  async record(caller: Caller, refusal: Refusal, asked: RefusedRequest = {}): Promise<void> {
    // The ledger is as far away as the state, and would give its own reason in the place of this one.
    if (refusal.reason === 'SNAPSHOT_STALE') return;
    const { state, store, clock } = this.#dependencies;
    const common = {
      kind: 'REFUSED',
      client: caller.principal.client,
      reason: refusal.reason,
      rule: refusal.details.rule ?? '',
      configurationRevision: state.snapshot.revision,
    } as const;
    const alike = this.#find(caller, { ...common, timeMs: 0 }, asked);
    alike.count++;
    if (alike.count > MAX_ALIKE) return;
    const entry = { ...common, timeMs: clock.now(), traceId: traceId() ?? '', ...asked };
    await step(SPAN_COMMIT, (span) =>
      store.record(entry, { onCommit: span.recording ? span.sharedCommit : undefined }),
    );
  }

  /** Ends the window: what was only counted in it goes into the ledger. Does not reject. */
  async flush(): Promise<void> {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    const { store, clock, log } = this.#dependencies;
    const counted = [...this.#alike.values()].filter(({ count }) => count > MAX_ALIKE);
    this.#alike.clear();
    await Promise.all(
      counted.map(async ({ count, counted: entry }) => {
        const rule = countedTogetherRule(entry.rule ?? '', count - MAX_ALIKE);
        try {
          await store.record({ ...entry, timeMs: clock.now(), rule });
        } catch (error) {
          log.error(
            { count, error: describeError(error) },
            'refusals that were counted are not in the ledger',
          );
        }
      }),
    );
  }

  #find({ call }: Caller, entry: EntryDraft, asked: RefusedRequest): Alike {
    const { client, reason, rule } = entry;
    // What was not granted may be any name, and is no place of its own.
    const { destination = '', realm = '' } = rule === 'grant' ? {} : asked;
    const place = destination || realm || call.methodName;
    const kind = JSON.stringify([client, reason, rule, place, peerOfCall(call.peer)]);
    const known = this.#alike.get(kind);
    if (known !== undefined) return known;
    this.#timer ??= setTimeout(() => void this.flush(), WINDOW_MS).unref();
    if (this.#alike.size < MAX_KINDS) return this.#add(kind, { ...entry, destination, realm });
    const coarser = JSON.stringify([client, reason]);
    return this.#alike.get(coarser) ?? this.#add(coarser, { ...entry, rule: '' });
  }

  #add(kind: string, counted: EntryDraft): Alike {
    const alike = { count: 0, counted };
    this.#alike.set(kind, alike);
    return alike;
  }
}

interface Dependencies {
  readonly store: Pick<Store, 'record'>;
  readonly clock: Clock;
  readonly state: { readonly snapshot: { readonly revision: number } };
  readonly log: Logger;
}

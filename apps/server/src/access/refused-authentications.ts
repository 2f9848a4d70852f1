import { countedTogetherRule, type Store } from '@callpass/domain';
import { traceId } from '@callpass/telemetry';
import { describeError, type Logger } from '@callpass/program/log';
import type { AuthenticationFault } from './fault.ts';

/**
 * Records refused authentication. Whoever can connect can make as many of these as they like, so what they leave behind must
 * not grow with it: of each fault the first one in a window has an entry in the ledger at once, and those after it in the
 * same window have one entry together, with their number. That is at most two entries a fault and window.
 */
export class RefusedAuthentications {
  readonly #dependencies: Dependencies;
  readonly #repeated = new Map<AuthenticationFault, number>();
  #timer: NodeJS.Timeout | undefined;

  constructor(dependencies: Dependencies) {
    this.#dependencies = dependencies;
  }

  /** Resolves when the refusal is in the ledger or counted for it; never rejects, for a refusal stays one. */
  async note(fault: AuthenticationFault, peer: string): Promise<void> {
    const repeated = this.#repeated.get(fault);
    if (repeated !== undefined) {
      this.#repeated.set(fault, repeated + 1);
      return;
    }
    this.#repeated.set(fault, 0);
    this.#timer ??= setTimeout(() => void this.flush(), WINDOW_MS).unref();
    this.#dependencies.log.warn(
      { fault, peer },
      'authentication refused; more of these are counted in the ledger',
    );
    await this.#record(`authentication ${fault}`);
  }

  /** Ends the window: what was counted in it goes into the ledger. */
  async flush(): Promise<void> {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    const counted = [...this.#repeated].filter(([, count]) => count > 0);
    this.#repeated.clear();
    await Promise.all(
      counted.map(([fault, count]) => this.#record(countedTogetherRule(`authentication ${fault}`, count))),
    );
  }

  async #record(rule: string): Promise<void> {
    const { store, clock, state, log } = this.#dependencies;
    try {
      await store.record({
        kind: 'REFUSED',
        timeMs: clock.now(),
        client: '',
        reason: 'CLIENT_UNKNOWN',
        rule,
        configurationRevision: state.snapshot.revision,
        traceId: traceId() ?? '',
      });
    } catch (error) {
      log.error({ error: describeError(error) }, 'a refused authentication is not in the ledger');
    }
  }
}

const WINDOW_MS = 60_000;

interface Dependencies {
  readonly store: Pick<Store, 'record'>;
  readonly clock: { now(): number };
  readonly state: { readonly snapshot: { readonly revision: number } };
  readonly log: Logger;
}

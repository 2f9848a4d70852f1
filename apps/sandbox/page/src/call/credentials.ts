import type { CallCredentials } from '@callpass/client/browser';
import type { Problem } from './problem.ts';

/** Grant of the edge for one call: the arguments of the SDK's `makeAnonymous` and their validity. */
export type Grant = Omit<CallCredentials, 'issuanceId'>;

/** Requests credentials from the edge. Rejects without a response. */
export type AskEdge = (
  destination: string,
  signal: AbortSignal,
) => Promise<
  | { readonly type: 'granted'; readonly grant: Grant }
  | { readonly type: 'refused'; readonly problem: Problem }
>;

/**
 * Creates a cache of the last call's credentials. It requests new ones after their refresh time, for another destination,
 * and after a refusal of the gateway.
 */
export function createCredentials(ask: AskEdge, now: () => number) {
  let held: { destination: string; grant: Grant } | undefined;
  return {
    get: async (destination: string, signal: AbortSignal) => {
      if (held?.destination === destination && (held.grant.refreshAtMs ?? 0) > now()) {
        return { type: 'granted' as const, grant: held.grant };
      }
      held = undefined;
      const answer = await ask(destination, signal);
      if (answer.type === 'granted') held = { destination, grant: answer.grant };
      return answer;
    },
    /** Discards the cached credentials. */
    forget: () => {
      held = undefined;
    },
  };
}

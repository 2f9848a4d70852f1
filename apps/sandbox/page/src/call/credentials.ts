import type { Problem } from './setbacks.ts';

/** What the edge grants for one call: the arguments of the SDK's `makeAnonymous`, and until when they are good. */
export interface Grant {
  readonly callee: string;
  /** Three tokens and a realm, or empty for an unrestricted call. */
  readonly credentials: Readonly<Record<string, string>>;
  readonly callOptions: { readonly from: string };
  /** Milliseconds since the epoch, by the service's clock. Undefined for an unrestricted call. */
  readonly issuedAtMs: number;
  readonly refreshAtMs: number | undefined;
  readonly expiresAtMs: number | undefined;
}

/** Asks the edge. Rejects where nobody answers. */
export type AskEdge = (
  destination: string,
  signal: AbortSignal,
) => Promise<
  | { readonly type: 'granted'; readonly grant: Grant }
  | { readonly type: 'refused'; readonly problem: Problem }
>;

/**
 * Holds the credentials of the last call in memory, so that a second call soon after needs no new ones, and asks
 * again for those that are past their refresh time, are for another destination or were refused by the gateway.
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
    /** Whatever is held is not used again. */
    forget: () => {
      held = undefined;
    },
  };
}

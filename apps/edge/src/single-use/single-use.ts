import { createHmac, hkdfSync, randomBytes, randomUUID } from 'node:crypto';
import type { GatewayRequest } from '@callpass/token-core';
import type { SessionStore } from './session-store.ts';

/** Options of the single use of tokens. */
export interface SingleUseOptions {
  readonly store: SessionStore;
  /** Secret of the hashes: the same at all edges that share a store. Default: a random one. */
  readonly secret?: string | undefined;
  /** Decision while the store is out of reach. Default: `refuse`. */
  readonly whenUnavailable?: 'refuse' | 'allow' | undefined;
}

/** Outcome for one request. */
export type Use = 'FIRST_OR_REPEATED' | 'USED' | 'UNKNOWN';

/** Time for which a token is remembered after its end: clocks differ. */
const MARGIN_MS = 60_000;

/**
 * Lets an account token open one session. A session is one subscription and the call that is started on its notification channel:
 * a second subscription is another session, and so is a call on another channel; a call that is started again on the same one is
 * a repetition. Requests with the id of a subscription or call are within their session.
 *
 * The text of a token counts without case, in which hexadecimal may be written either way.
 */
export function createSingleUse({ store, secret, whenUnavailable = 'refuse' }: SingleUseOptions) {
  const key = Buffer.from(
    hkdfSync('sha256', secret ?? randomBytes(32), '', 'callpass edge single use of tokens', 32),
  );
  const hash = (...parts: readonly string[]) =>
    createHmac('sha256', key).update(parts.join('\0')).digest('base64url');

  return {
    /** Decides on a request whose tokens verify and expire at `expireTimeMs`, in ms since the epoch. */
    async use(request: GatewayRequest, expireTimeMs: number): Promise<Use> {
      const { step, realm, accountToken, callStart } = request;
      if (step !== 'SUBSCRIBE' && step !== 'START_CALL') return 'FIRST_OR_REPEATED';
      const token = hash(step, realm, accountToken.toLowerCase());
      const session = callStart === undefined ? randomUUID() : hash('channel', callStart.channelId);
      const lifetimeMs = Math.max(0, expireTimeMs - Date.now()) + MARGIN_MS;
      try {
        return (await store.claim(token, session, lifetimeMs)) === session ? 'FIRST_OR_REPEATED' : 'USED';
      } catch {
        return whenUnavailable === 'allow' ? 'FIRST_OR_REPEATED' : 'UNKNOWN';
      }
    },
  };
}

import { createHmac, hkdfSync, randomUUID } from 'node:crypto';
import type { GatewayRequest } from './gateway-request.ts';

/** Parts that the single use of tokens works with. */
export interface SingleUseParts {
  /**
   * Records `session` under `key` for `lifetimeMs`, unless one is recorded there, and resolves with the one that is. Rejects when that
   * cannot be known. It gets keyed hashes only.
   */
  readonly claim: (key: string, session: string, lifetimeMs: number) => Promise<string>;
  /** Secret of the hashes: the same for all that share what is recorded. */
  readonly secret: string | Uint8Array;
  /** Decision while nothing can be recorded. */
  readonly whenUnavailable: 'refuse' | 'allow';
  /** Time in ms since the epoch. */
  readonly nowMs: () => number;
}

/** Outcome for one request. */
export type Use = 'FIRST_OR_REPEATED' | 'USED' | 'UNKNOWN';

/** Single use of account tokens. */
export interface SingleUse {
  /** Decides on a request whose tokens verify and expire at `expireTimeMs`, in ms since the epoch. */
  use(request: GatewayRequest, expireTimeMs: number): Promise<Use>;
}

/** Time for which a token is remembered after its end: clocks differ. */
const MARGIN_MS = 60_000;

/**
 * Lets an account token open one session. A session is one subscription and the call that is started on its notification channel:
 * a second subscription is another session, and so is a call on another channel; a call that is started again on the same one is
 * a repetition. Requests with the id of a subscription or call are within their session.
 *
 * The text of a token counts without case, in which hexadecimal may be written either way.
 */
export function createSingleUse({ claim, secret, whenUnavailable, nowMs }: SingleUseParts): SingleUse {
  const key = Buffer.from(hkdfSync('sha256', secret, '', 'callpass single use of tokens', 32));
  const hash = (...parts: readonly string[]) =>
    createHmac('sha256', key).update(parts.join('\0')).digest('base64url');

  return {
    async use({ step, realm, accountToken, callStart }, expireTimeMs) {
      if (step !== 'SUBSCRIBE' && step !== 'START_CALL') return 'FIRST_OR_REPEATED';
      const token = hash(step, realm, accountToken.toLowerCase());
      const session = callStart === undefined ? randomUUID() : hash('channel', callStart.channelId);
      const lifetimeMs = Math.max(0, expireTimeMs - nowMs()) + MARGIN_MS;
      try {
        return (await claim(token, session, lifetimeMs)) === session ? 'FIRST_OR_REPEATED' : 'USED';
      } catch {
        return whenUnavailable === 'allow' ? 'FIRST_OR_REPEATED' : 'UNKNOWN';
      }
    },
  };
}

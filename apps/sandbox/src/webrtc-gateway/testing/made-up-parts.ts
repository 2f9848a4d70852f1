import type { Media } from '../protocol/calls.ts';
import type { Listener } from '../protocol/channel.ts';
import { Refusal, type RefusalName } from '../protocol/refusal.ts';
import type { Verifier } from '../verification/verifier.ts';

/** Media that answers each offer by its own text, and knows what became of it. */
export interface MadeUpMedia extends Media {
  closed: boolean;
}

export function madeUpMedia(): MadeUpMedia {
  return {
    closed: false,
    async answer(offer) {
      if (offer.includes('nonsense')) throw new Error('no session description');
      return `answer to ${offer}`;
    },
    async close() {
      this.closed = true;
    },
  };
}

/** Takes every token but those that name what is wrong with them, such as `TOKEN_EXPIRED`. */
export const madeUpVerifier: Verifier = {
  async verifyAccount(_realm, token) {
    refuseNamed(token);
  },
  async verifyCall({ fromToken, toToken }) {
    refuseNamed(fromToken);
    refuseNamed(toToken);
    return { caller: 'anonymous@kandy.example', callee: 'support@kandy.example' };
  },
};

function refuseNamed(token: string): void {
  if (/^[A-Z_]+$/.test(token)) throw new Refusal(token as RefusalName);
}

/** Keeps what it is sent. */
export function listening(): Listener & { events: () => unknown[]; dismissed: boolean } {
  const texts: string[] = [];
  return {
    dismissed: false,
    send: (text) => void texts.push(text),
    dismiss() {
      this.dismissed = true;
    },
    events: () =>
      texts.map((text) => {
        const { notificationMessage } = JSON.parse(text) as Notification;
        return { eventType: notificationMessage.eventType, ...notificationMessage.sessionParams };
      }),
  };
}

interface Notification {
  readonly notificationMessage: { readonly eventType: string; readonly sessionParams: object };
}

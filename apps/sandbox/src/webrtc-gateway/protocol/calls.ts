import type { CallEvent } from './notification.ts';
import { Refusal } from './refusal.ts';
import { isSame, type Party, type Subscription } from './subscriptions.ts';
import type { Time } from './time.ts';

/** State of a call. It changes from left to right, and between CONNECTED and HELD. */
export type CallState = 'RINGING' | 'CONNECTED' | 'HELD' | 'ENDED';

/** A call as the outside sees it. */
export interface CallView {
  readonly id: string;
  readonly state: CallState;
  /** `user@domain`. */
  readonly caller: string;
  /** `user@domain`. */
  readonly callee: string;
  /** RFC 3339. */
  readonly startedAt: string;
}

/** The call's other side: answers offers, and lets go of everything when the call has ended. */
export interface Media {
  /** Resolves with the answer, all candidates in it. Rejects when it can make nothing of the offer. */
  answer(offer: string): Promise<string>;
  close(): Promise<void>;
}

/** One call and what may be done with it. Each step after the end is refused with CALL_GONE. */
export interface Call {
  readonly id: string;
  readonly subscription: Subscription;
  readonly view: () => CallView;
  /** The callee's phone rings. */
  ring(): void;
  /** The callee picks up. */
  pickUp(): void;
  /** A sign of life; without one for `silenceLimitMs` the call ends. */
  audit(): void;
  /** A new offer of the client. One at a time, in the order they came. */
  update(offer: string): Promise<void>;
  /** The callee, or the gateway itself, ends the call and the client hears why. */
  hangUp(statusCode: number, reasonText: string): void;
  /** The client ended the call, or nobody is left to tell. */
  end(): void;
}

/** Dependencies of a call. */
export interface CallParts {
  readonly id: string;
  readonly subscription: Subscription;
  readonly caller: string;
  readonly callee: string;
  readonly media: Media;
  /** The answer to the offer that the call began with. */
  readonly firstAnswer: string;
  readonly isHold: (offer: string) => boolean;
  readonly notify: (event: CallEvent) => void;
  readonly onEnd: () => void;
  readonly time: Time;
  readonly silenceLimitMs: number;
  /** Time for an HTTP response to reach the client, in milliseconds; its notifications are sent no earlier. */
  readonly heardAfterMs: number;
}

/** Code of SIP for a client that is no longer heard of. */
const REQUEST_TIMEOUT = 408;

/** A call that nobody has picked up yet. */
export function createCall(parts: CallParts): Call {
  const { time, media, notify } = parts;
  const startedAt = new Date(time.now()).toISOString();
  let state: CallState = 'RINGING';
  let updates: Promise<unknown> = Promise.resolve();
  let cancelSilence = listen();

  function listen(): () => void {
    return time.after(parts.silenceLimitMs, () => hangUp(REQUEST_TIMEOUT, 'no sign of life'));
  }
  function assertGoing(): void {
    if (state === 'ENDED') throw new Refusal('CALL_GONE');
  }
  function end(): void {
    if (state === 'ENDED') return;
    state = 'ENDED';
    cancelSilence();
    void media.close();
    parts.onEnd();
  }
  function hangUp(statusCode: number, reasonText: string): void {
    assertGoing();
    notify({ type: 'callEnd', statusCode, reasonText });
    end();
  }
  async function answer(offer: string): Promise<void> {
    assertGoing();
    const sdp = await media.answer(offer).catch((cause: unknown) => {
      throw new Refusal('BAD_CALL', { cause });
    });
    assertGoing();
    state = parts.isHold(offer) ? 'HELD' : 'CONNECTED';
    // Before the answer to its request has reached it, the client does not know what this would be about.
    time.after(parts.heardAfterMs, () => {
      if (state !== 'ENDED') notify({ type: 'respondCallUpdate', sdp });
    });
  }

  return {
    id: parts.id,
    subscription: parts.subscription,
    view: () => ({ id: parts.id, state, caller: parts.caller, callee: parts.callee, startedAt }),
    ring() {
      if (state === 'RINGING')
        notify({ type: 'ringing', remoteName: parts.callee, remoteAddress: parts.callee });
    },
    pickUp() {
      if (state !== 'RINGING') return;
      state = 'CONNECTED';
      notify({ type: 'respondCallUpdate', sdp: parts.firstAnswer });
    },
    audit() {
      assertGoing();
      cancelSilence();
      cancelSilence = listen();
    },
    update(offer) {
      assertGoing();
      const answered = updates.then(() => answer(offer));
      updates = answered.catch(() => undefined);
      return answered;
    },
    hangUp,
    end,
  };
}

/** The calls under way, and the last ones that ended for whoever looks. */
export interface Calls {
  add(call: Call): void;
  /** Throws {@link Refusal} CALL_GONE unless there is such a call of this party. */
  ofParty(party: Party, id: string): Call;
  /** Throws {@link Refusal} CALL_GONE unless there is such a call. */
  get(id: string): Call;
  remove(id: string): void;
  going(): Call[];
  /** Newest first, with the last 50 that ended. */
  views(): CallView[];
}

const MAX_ENDED = 50;

/** No calls yet. */
export function createCalls(): Calls {
  const going = new Map<string, Call>();
  let ended: CallView[] = [];
  const get = (id: string): Call => {
    const call = going.get(id);
    if (call === undefined) throw new Refusal('CALL_GONE');
    return call;
  };
  return {
    add(call) {
      going.set(call.id, call);
    },
    get,
    ofParty(party, id) {
      const call = get(id);
      if (!isSame(party, call.subscription)) throw new Refusal('CALL_GONE');
      return call;
    },
    remove(id) {
      const call = going.get(id);
      if (call === undefined) return;
      going.delete(id);
      ended = [call.view(), ...ended].slice(0, MAX_ENDED);
    },
    going: () => [...going.values()],
    views: () => [...[...going.values()].reverse().map((call) => call.view()), ...ended],
  };
}

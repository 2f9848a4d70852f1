import { createCredentials, type AskEdge, type Grant } from './credentials.ts';
import type { Fault, GatewayStep, NoAnswer } from './fault.ts';
import { failureOf } from './failures.ts';
import { initialState, isUnderWay, next, type CallEvent, type CallState } from './state.ts';

/** Event that a phone reports of a call. */
export type PhoneEvent =
  /** The steps before this one are done. */
  | { readonly type: 'step'; readonly step: GatewayStep }
  | { readonly type: 'ringing' | 'connected' | 'ended' }
  | { readonly type: 'failed'; readonly fault: Fault & { readonly at: GatewayStep } }
  | { readonly type: 'no-microphone' };

/** Call that a phone has placed. */
export interface PhoneCall {
  hangUp(): void;
  setMuted(muted: boolean): void;
}

/** Dependencies of {@link createCallController}. */
export interface CallParts {
  readonly askEdge: AskEdge;
  /** Cause of a rejection of `askEdge`. */
  readonly causeOf: (error: unknown) => NoAnswer | 'unusable';
  /** False if the browser has no network. */
  readonly isOnline: () => boolean;
  /** Requests the microphone from the visitor's browser. */
  readonly askMicrophone: () => Promise<'granted' | 'denied' | 'missing'>;
  readonly placeCall: (grant: Grant, report: (event: PhoneEvent) => void) => PhoneCall;
  /** Current time in milliseconds since the epoch. */
  readonly now: () => number;
  readonly onChange: (state: CallState) => void;
}

/** Actions of a visitor. */
export interface CallController {
  /** Places a call. No effect during a call. */
  readonly call: (destination: string) => Promise<void>;
  /** Ends the call at any step. */
  readonly hangUp: () => void;
  /** Mutes the microphone. No effect unless connected. */
  readonly setMuted: (muted: boolean) => void;
}

/** Creates a controller that runs one call at a time, from the click to its end. */
export function createCallController(parts: CallParts): CallController {
  const { askMicrophone, causeOf, isOnline, placeCall, now, onChange } = parts;
  const credentials = createCredentials(parts.askEdge, now);
  let state = initialState;
  let attempt = new AbortController();
  let phoneCall: PhoneCall | undefined;

  const happen = (event: CallEvent) => {
    const before = state;
    state = next(state, event);
    if (state !== before) onChange(state);
  };

  const fail = (fault: Fault) => {
    const seen = isOnline() ? fault : withoutNetwork(fault);
    happen({ type: 'failed', failure: failureOf(seen, now()), fault: seen });
  };

  async function prepare(destination: string, signal: AbortSignal): Promise<Grant | undefined> {
    // The microphone first, so that the visitor's answer does not use up the lifetime of the tokens.
    const microphone = await askMicrophone();
    if (signal.aborted) return undefined;
    if (microphone !== 'granted') {
      fail({ at: 'microphone', cause: microphone });
      return undefined;
    }
    happen({ type: 'microphone-granted' });
    const answer = await credentials
      .get(destination, signal)
      .catch((error: unknown) => ({ type: 'failed' as const, cause: causeOf(error) }));
    if (signal.aborted) return undefined;
    if (answer.type === 'granted') return answer.grant;
    if (answer.type === 'refused') fail({ at: 'credentials', cause: 'refused', problem: answer.problem });
    else fail({ at: 'credentials', cause: answer.cause });
    return undefined;
  }

  function hear(event: PhoneEvent): void {
    switch (event.type) {
      case 'step':
        happen(event);
        break;
      case 'ringing':
        happen({ type: 'ringing' });
        break;
      case 'connected':
        happen({ type: 'connected', atMs: now() });
        break;
      case 'ended':
        happen({ type: 'ended', by: 'other-side', atMs: now() });
        break;
      case 'no-microphone':
        fail({ at: 'microphone', cause: 'missing' });
        break;
      case 'failed':
        credentials.forget();
        fail(event.fault);
        break;
    }
  }

  return {
    async call(destination) {
      if (isUnderWay(state)) return;
      attempt = new AbortController();
      const { signal } = attempt;
      happen({ type: 'call' });
      const grant = await prepare(destination, signal);
      if (grant === undefined) return;
      happen({ type: 'credentials-granted' });
      phoneCall = placeCall(grant, (event) => {
        if (!signal.aborted) hear(event);
      });
    },
    hangUp() {
      attempt.abort();
      phoneCall?.hangUp();
      phoneCall = undefined;
      happen({ type: 'ended', by: 'visitor', atMs: now() });
    },
    setMuted(muted) {
      if (state.kind !== 'connected') return;
      phoneCall?.setMuted(muted);
      happen({ type: 'muted', muted });
    },
  };
}

/** A fault without an answer, seen by a browser that has no network. */
function withoutNetwork(fault: Fault): Fault {
  if (fault.at === 'page' || fault.at === 'microphone') return fault;
  return ['unreachable', 'timeout', 'lost'].includes(fault.cause)
    ? { at: fault.at, cause: 'offline' }
    : fault;
}

import { createCredentials, type AskEdge, type Grant } from './credentials.ts';
import { failureOfGateway, failureOfMicrophone, failureOfProblem, unavailable } from './failures.ts';
import { initialState, isUnderWay, next, type CallEvent, type CallState } from './state.ts';

/** Event that a phone reports of a call. */
export type PhoneEvent =
  | { readonly type: 'ringing' | 'connected' | 'ended' }
  /** `code` is the gateway's, if known. */
  | { readonly type: 'failed'; readonly code: number | undefined }
  | { readonly type: 'no-microphone' };

/** Call that a phone has placed. */
export interface PhoneCall {
  hangUp(): void;
  setMuted(muted: boolean): void;
}

/** Dependencies of {@link createCallController}. */
export interface CallParts {
  readonly askEdge: AskEdge;
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
  const { askMicrophone, placeCall, now, onChange } = parts;
  const credentials = createCredentials(parts.askEdge, now);
  let state = initialState;
  let attempt = new AbortController();
  let phoneCall: PhoneCall | undefined;

  const happen = (event: CallEvent) => {
    const before = state;
    state = next(state, event);
    if (state !== before) onChange(state);
  };

  async function prepare(destination: string, signal: AbortSignal): Promise<Grant | undefined> {
    // The microphone first, so that the visitor's answer does not use up the lifetime of the tokens.
    const microphone = await askMicrophone();
    if (signal.aborted) return undefined;
    if (microphone !== 'granted') {
      happen({ type: 'failed', failure: failureOfMicrophone(microphone) });
      return undefined;
    }
    happen({ type: 'microphone-granted' });
    const answer = await credentials.get(destination, signal).catch(() => undefined);
    if (signal.aborted) return undefined;
    if (answer?.type === 'granted') return answer.grant;
    happen({
      type: 'failed',
      failure: answer === undefined ? unavailable : failureOfProblem(answer.problem, now()),
    });
    return undefined;
  }

  function hear(event: PhoneEvent): void {
    switch (event.type) {
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
        happen({ type: 'failed', failure: failureOfMicrophone('missing') });
        break;
      case 'failed':
        credentials.forget();
        happen({ type: 'failed', failure: failureOfGateway(event.code) });
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

/** Why a call did not come about, or broke off, in the visitor's words. */
export interface Setback {
  /** Which picture of the page it is. */
  readonly kind: 'refused' | 'closed' | 'limited' | 'microphone' | 'unavailable';
  readonly headline: string;
  /** What the visitor can do. */
  readonly advice: string;
  /** Milliseconds since the epoch from which it makes sense to call again; left out: at once. */
  readonly againAtMs?: number;
}

/** Where a call is. Exactly one of these at any time. */
export type CallState =
  | { readonly kind: 'idle' }
  | { readonly kind: 'microphone-asked' }
  | { readonly kind: 'asking' }
  | { readonly kind: 'connecting' }
  | { readonly kind: 'ringing' }
  | { readonly kind: 'connected'; readonly sinceMs: number; readonly muted: boolean }
  | { readonly kind: 'ended'; readonly by: 'visitor' | 'other-side'; readonly durationMs: number }
  | { readonly kind: 'set-back'; readonly setback: Setback };

/** What happens to a call. Times are milliseconds since the epoch. */
export type CallEvent =
  | { readonly type: 'call' }
  | { readonly type: 'microphone-granted' }
  | { readonly type: 'credentials-granted' }
  | { readonly type: 'ringing' }
  | { readonly type: 'connected'; readonly atMs: number }
  | { readonly type: 'muted'; readonly muted: boolean }
  | { readonly type: 'ended'; readonly by: 'visitor' | 'other-side'; readonly atMs: number }
  | { readonly type: 'set-back'; readonly setback: Setback };

const IDLE: CallState = { kind: 'idle' };

/** The state before anybody has called. */
export const initialState: CallState = IDLE;

/** Whether a call is under way, so that there is something to hang up. */
export function isUnderWay(state: CallState): boolean {
  return ['microphone-asked', 'asking', 'connecting', 'ringing', 'connected'].includes(state.kind);
}

/** The state after an event. An event that does not fit, such as ringing after the end, changes nothing. */
export function next(state: CallState, event: CallEvent): CallState {
  switch (event.type) {
    case 'call':
      return isUnderWay(state) ? state : { kind: 'microphone-asked' };
    case 'microphone-granted':
      return state.kind === 'microphone-asked' ? { kind: 'asking' } : state;
    case 'credentials-granted':
      return state.kind === 'asking' ? { kind: 'connecting' } : state;
    case 'ringing':
      return state.kind === 'connecting' ? { kind: 'ringing' } : state;
    case 'connected':
      return state.kind === 'connecting' || state.kind === 'ringing'
        ? { kind: 'connected', sinceMs: event.atMs, muted: false }
        : state;
    case 'muted':
      return state.kind === 'connected' ? { ...state, muted: event.muted } : state;
    case 'ended':
      return isUnderWay(state)
        ? {
            kind: 'ended',
            by: event.by,
            durationMs: state.kind === 'connected' ? event.atMs - state.sinceMs : 0,
          }
        : state;
    case 'set-back':
      return isUnderWay(state) ? { kind: 'set-back', setback: event.setback } : state;
  }
}

import type { Fault, GatewayStep } from './fault.ts';

/** Failure of a call, with texts for the visitor. */
export interface CallFailure {
  /** Appearance of the page. */
  readonly kind: 'refused' | 'closed' | 'limited' | 'microphone' | 'unavailable';
  readonly headline: string;
  /** Next step for the visitor. */
  readonly advice: string;
  /** False if another call would fail for the same reason. */
  readonly callable: boolean;
  /** Time of the next possible call, in milliseconds since the epoch. Undefined: at once. */
  readonly againAtMs?: number;
}

/** State of a call. */
export type CallState =
  | { readonly kind: 'idle' }
  | { readonly kind: 'microphone-asked' }
  | { readonly kind: 'asking' }
  /** `step` is the step in progress, once the phone has reported it. */
  | { readonly kind: 'connecting'; readonly step?: GatewayStep }
  | { readonly kind: 'ringing' }
  | { readonly kind: 'connected'; readonly sinceMs: number; readonly muted: boolean }
  | { readonly kind: 'ended'; readonly by: 'visitor' | 'other-side'; readonly durationMs: number }
  | { readonly kind: 'failed'; readonly failure: CallFailure; readonly fault?: Fault };

/** Event of a call. Times are milliseconds since the epoch. */
export type CallEvent =
  | { readonly type: 'call' }
  | { readonly type: 'microphone-granted' }
  | { readonly type: 'credentials-granted' }
  | { readonly type: 'step'; readonly step: GatewayStep }
  | { readonly type: 'ringing' }
  | { readonly type: 'connected'; readonly atMs: number }
  | { readonly type: 'muted'; readonly muted: boolean }
  | { readonly type: 'ended'; readonly by: 'visitor' | 'other-side'; readonly atMs: number }
  | { readonly type: 'failed'; readonly failure: CallFailure; readonly fault?: Fault };

const IDLE: CallState = { kind: 'idle' };

/** State before the first call. */
export const initialState: CallState = IDLE;

/** Checks if a call is in progress, so that it can be ended. */
export function isUnderWay(state: CallState): boolean {
  return ['microphone-asked', 'asking', 'connecting', 'ringing', 'connected'].includes(state.kind);
}

/** Computes the state after an event. An unexpected event, such as ringing after the end, changes nothing. */
export function next(state: CallState, event: CallEvent): CallState {
  switch (event.type) {
    case 'call':
      return isUnderWay(state) ? state : { kind: 'microphone-asked' };
    case 'microphone-granted':
      return state.kind === 'microphone-asked' ? { kind: 'asking' } : state;
    case 'credentials-granted':
      return state.kind === 'asking' ? { kind: 'connecting' } : state;
    case 'step':
      return state.kind === 'connecting' ? { kind: 'connecting', step: event.step } : state;
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
    case 'failed':
      return isUnderWay(state) ? failed(event) : state;
  }
}

function failed({ failure, fault }: CallEvent & { type: 'failed' }): CallState {
  return { kind: 'failed', failure, ...(fault && { fault }) };
}

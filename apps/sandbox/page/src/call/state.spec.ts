import { describe, expect, it } from '@jest/globals';
import { initialState, isUnderWay, next, type CallEvent, type CallState, type CallFailure } from './state.ts';

const failure: CallFailure = { kind: 'refused', headline: 'No', advice: 'Ask', callable: true };
const events: CallEvent[] = [
  { type: 'call' },
  { type: 'microphone-granted' },
  { type: 'credentials-granted' },
  { type: 'ringing' },
  { type: 'connected', atMs: 1_000 },
  { type: 'muted', muted: true },
  { type: 'ended', by: 'other-side', atMs: 61_000 },
];
const after = (...some: CallEvent[]) => some.reduce(next, initialState);

describe('a call', () => {
  it('goes from the click to the end, and knows how long it lasted', () => {
    const path = events.map((_event, i) => after(...events.slice(0, i + 1)));
    expect(path).toEqual([
      { kind: 'microphone-asked' },
      { kind: 'asking' },
      { kind: 'connecting' },
      { kind: 'ringing' },
      { kind: 'connected', sinceMs: 1_000, muted: false },
      { kind: 'connected', sinceMs: 1_000, muted: true },
      { kind: 'ended', by: 'other-side', durationMs: 60_000 },
    ]);
  });

  it('may be answered without having rung', () => {
    expect(after(...events.slice(0, 3), { type: 'connected', atMs: 5 })).toMatchObject({ kind: 'connected' });
  });

  it('can be ended by the visitor from every step on the way, with no duration before it was answered', () => {
    for (let steps = 1; steps <= 4; steps++) {
      expect(after(...events.slice(0, steps), { type: 'ended', by: 'visitor', atMs: 99 })).toEqual({
        kind: 'ended',
        by: 'visitor',
        durationMs: 0,
      });
    }
  });

  it('starts anew after an end or a failure, and a second click on the way does nothing', () => {
    const stopped = after({ type: 'call' }, { type: 'failed', failure });
    expect(stopped).toEqual({ kind: 'failed', failure });
    expect(next(stopped, { type: 'call' })).toEqual({ kind: 'microphone-asked' });
    const ringing = after(...events.slice(0, 4));
    expect(next(ringing, { type: 'call' })).toBe(ringing);
  });

  it('is not brought back by events that come late', () => {
    const finished: CallState[] = [initialState, after(...events), { kind: 'failed', failure }];
    for (const state of finished) {
      expect(isUnderWay(state)).toBe(false);
      for (const event of [...events.slice(1), { type: 'failed', failure } as const]) {
        expect(next(state, event)).toBe(state);
      }
    }
  });
});

import { describe, expect, it } from '@jest/globals';
import type { Fault } from './fault.ts';
import { unavailable } from './failures.ts';
import type { CallState } from './state.ts';
import { noSteps, stepsAfter } from './steps.ts';

const after = (...states: CallState[]) =>
  Object.fromEntries(states.reduce(stepsAfter, noSteps).map(({ step, status }) => [step, status]));
const failed = (fault: Fault) => after({ kind: 'failed', failure: unavailable, fault });

describe('the steps of a call', () => {
  it('are done up to the one that is under way', () => {
    expect(after({ kind: 'asking' })).toMatchObject({
      microphone: 'done',
      credentials: 'running',
      call: 'pending',
    });
    expect(after({ kind: 'connecting' })).toMatchObject({ credentials: 'done', subscription: 'running' });
    expect(after({ kind: 'connecting', step: 'call' })).toMatchObject({ websocket: 'done', call: 'running' });
    expect(after({ kind: 'ringing' })).toMatchObject({ call: 'done', audio: 'running' });
  });

  it('are not all done where the gateway has refused one, and none after it was reached', () => {
    expect(failed({ at: 'subscription', cause: 'refused', code: 35 })).toEqual({
      microphone: 'done',
      credentials: 'done',
      subscription: 'failed',
      websocket: 'pending',
      call: 'pending',
      audio: 'pending',
    });
  });

  it('are none where the page itself could not start', () => {
    expect(new Set(Object.values(failed({ at: 'page' })))).toEqual(new Set(['pending']));
  });

  it('stop where the visitor gives up, and stay done after a call', () => {
    const ended = { kind: 'ended', by: 'visitor', durationMs: 0 } as const;
    expect(after({ kind: 'connecting', step: 'websocket' }, ended)).toMatchObject({
      subscription: 'done',
      websocket: 'stopped',
    });
    const talking = { kind: 'connected', sinceMs: 0, muted: false } as const;
    expect(new Set(Object.values(after(talking, ended)))).toEqual(new Set(['done']));
  });
});

import { describe, expect, it } from '@jest/globals';
import { unavailable } from '../call/failures.ts';
import { clock, openingTime, shownAnswer, textsOf } from './texts.ts';

describe('the texts', () => {
  it('include the duration of a call', () => {
    const ended = (durationMs: number) => textsOf({ kind: 'ended', by: 'visitor', durationMs }, 'S').advice;
    expect(ended(400)).toBe('It lasted 1 second.');
    expect(ended(61_000)).toBe('It lasted 1 minute and 1 second.');
    expect(ended(120_000)).toBe('It lasted 2 minutes.');
    expect(ended(0)).not.toContain('lasted');
  });

  it('include the time when a closed line opens', () => {
    const againAtMs = Date.UTC(2026, 10, 26, 7);
    const failure = { ...unavailable, kind: 'closed', againAtMs } as const;
    expect(textsOf({ kind: 'failed', failure }, 'S').advice).toContain(openingTime(againAtMs));
  });

  it('stay the same while a call goes on, so that a screen reader is not interrupted', () => {
    const at = (sinceMs: number) => textsOf({ kind: 'connected', sinceMs, muted: false }, 'S');
    expect(at(1)).toEqual(at(9));
  });
});

it('the texts say that the microphone is off', () => {
  const { headline, advice } = textsOf({ kind: 'connected', sinceMs: 0, muted: true }, 'Support');
  expect([headline, advice]).toEqual(['Your microphone is off', 'Support cannot hear you.']);
});

describe('the clock', () => {
  it.each([
    [-5, '0:00'],
    [999, '0:00'],
    [61_000, '1:01'],
    [3_661_000, '1:01:01'],
  ])('%i ms is %s', (ms, text) => {
    expect(clock(ms)).toBe(text);
  });
});

describe('the shown answer', () => {
  it('never holds a whole token', () => {
    const token = 'ABCDEF0123456789'.repeat(6);
    const shown = shownAnswer({ credentials: { accountToken: token, realm: 'support.example' } });
    expect(shown).not.toContain(token.slice(0, 20));
    expect(shown).toContain('ABCDEF012345… (96 characters)');
    expect(shown).toContain('support.example');
  });
});

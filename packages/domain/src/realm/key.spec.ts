import { describe, expect, it } from '@jest/globals';
import {
  keyValidates,
  mayStep,
  validateUntil,
  type KeyState,
  type KeyStep,
  type RealmKeyRecord,
} from './key.ts';

const STATES: KeyState[] = ['PENDING', 'ACTIVE', 'RETIRED', 'DESTROYED'];
const STEPS: KeyStep[] = ['activate', 'retire', 'destroy'];

const key = (state: KeyState, validateUntilMs?: number): RealmKeyRecord => ({
  realm: 'support.example',
  version: 1,
  state,
  fingerprint: '0011223344556677',
  createTimeMs: 0,
  activateTimeMs: undefined,
  retireTimeMs: undefined,
  destroyTimeMs: undefined,
  validateUntilMs,
});

describe('mayStep', () => {
  it('allows these steps and no other, so that no live key is destroyed and no dead one comes back', () => {
    const allowed = STATES.flatMap((state) =>
      STEPS.filter((step) => mayStep(state, step)).map((step) => `${state} ${step}`),
    );
    expect(allowed).toEqual([
      'PENDING activate',
      'PENDING retire',
      'PENDING destroy',
      'ACTIVE retire',
      'RETIRED destroy',
    ]);
  });
});

describe('keyValidates', () => {
  it('opens with a pending and an active key at any time', () => {
    for (const nowMs of [0, Number.MAX_SAFE_INTEGER]) {
      expect([keyValidates(key('PENDING'), nowMs), keyValidates(key('ACTIVE'), nowMs)]).toEqual([true, true]);
    }
  });

  it('opens with a retired key until its last token has run out, and not at that millisecond', () => {
    expect(keyValidates(key('RETIRED', 1000), 999)).toBe(true);
    expect(keyValidates(key('RETIRED', 1000), 1000)).toBe(false);
  });

  it('opens nothing with a retired key of which no end is known, nor with a destroyed one', () => {
    expect(keyValidates(key('RETIRED'), 0)).toBe(false);
    expect(keyValidates(key('DESTROYED', 1000), 0)).toBe(false);
  });
});

describe('validateUntil', () => {
  it('waits for the lifetime and for a clock that was ahead', () => {
    expect(validateUntil(1_000_000, { tokenLifetimeMs: 600_000, maxClockSkewMs: 30_000 })).toBe(1_630_000);
  });
});

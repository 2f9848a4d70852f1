import { afterEach, describe, expect, it } from '@jest/globals';
import { problemLinks } from '@callpass/contract';
import { METHODS } from '../methods.ts';
import { Admission } from './admission.ts';
import { earlyRefusal } from './early-refusal.ts';

const ISSUE = '/callpass.v1.CredentialService/IssueCredentials';
const FREEZE = '/callpass.v1.AdminService/Freeze';
const TRACED_PER_SECOND = 20;

let admission: Admission;
afterEach(() => {
  admission.stop();
});

function start(maxInFlight: number) {
  const time = { nowMs: 0 };
  let shed = 0;
  admission = new Admission({
    bounds: { maxInFlight, maxLagMs: 250 },
    eventLoop: { take: () => ({ lagMs: 0, busy: 0 }), stop: () => undefined },
    events: { onShed: () => shed++, onOverload: () => undefined },
    atEndOfTurn: () => undefined,
  });
  return {
    decide: earlyRefusal(admission, METHODS, problemLinks(), () => time.nowMs),
    time,
    shed: () => shed,
  };
}

describe('earlyRefusal', () => {
  it('lets in as many as there is room for, though none has asked for it yet, and refuses the rest on their headers', () => {
    const { decide, shed } = start(3);
    const admitted = Array.from({ length: 100 }, () => decide(ISSUE)).filter(
      (refusal) => refusal === undefined,
    );
    expect(admitted).toHaveLength(3 + TRACED_PER_SECOND);
    expect(shed()).toBe(100 - 3 - TRACED_PER_SECOND);
  });

  it('keeps its place for the call that came first, when others go the whole way to be refused', () => {
    const { decide } = start(1);
    for (let calls = 0; calls < 1 + TRACED_PER_SECOND; calls++) expect(decide(ISSUE)).toBeUndefined();
    expect(admission.enter('ISSUE')).toBeUndefined();
    expect(admission.enter('ISSUE')).toHaveProperty('cause', 'in_flight');
  });

  it('sends so many of each second the whole way, where they are refused with a span of their own', () => {
    const { decide, time } = start(1);
    const untouched = () =>
      Array.from({ length: 100 }, () => decide(ISSUE)).filter((refusal) => refusal === undefined).length;
    expect(untouched()).toBe(1 + TRACED_PER_SECOND);
    expect(untouched()).toBe(0);
    time.nowMs = 1000;
    expect(untouched()).toBe(TRACED_PER_SECOND);
  });

  it('never refuses operators, nor what it does not know', () => {
    const { decide } = start(1);
    for (let calls = 0; calls < 50; calls++) {
      decide(ISSUE);
      expect(decide(FREEZE)).toBeUndefined();
      expect(decide('/grpc.health.v1.Health/Check')).toBeUndefined();
      expect(decide('/nobody.v1.Unknown/Do')).toBeUndefined();
    }
  });
});

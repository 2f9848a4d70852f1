import { afterEach, describe, expect, it } from '@jest/globals';
import { Admission } from './admission.ts';

const started: Admission[] = [];
afterEach(() => {
  for (const admission of started.splice(0)) admission.stop();
});

function start(maxInFlight: number, random = 0.5) {
  const shed: string[] = [];
  const overloads: boolean[] = [];
  const turnEnds: (() => void)[] = [];
  const admission = new Admission({
    bounds: { maxInFlight, maxLagMs: 250 },
    eventLoop: { take: () => ({ lagMs: 0, busy: 0 }), stop: () => undefined },
    events: {
      onShed: (loadClass, cause) => shed.push(`${loadClass} ${cause}`),
      onOverload: (overloaded) => overloads.push(overloaded),
    },
    random: () => random,
    atEndOfTurn: (then) => turnEnds.push(then),
  });
  started.push(admission);
  return { admission, shed, overloads, endTurn: () => turnEnds.shift()?.() };
}

describe('Admission', () => {
  it('refuses what is over the bound, says when to come back, and lets in again when a call has ended', () => {
    const { admission, shed } = start(1);
    expect(admission.enter('ISSUE')).toBeUndefined();
    expect(admission.enter('ISSUE')).toEqual({ cause: 'in_flight', retryAfterMs: 1000 });
    expect(shed).toEqual(['ISSUE in_flight']);
    admission.leave('ISSUE', 1);
    expect(admission.enter('ISSUE')).toBeUndefined();
  });

  it('validates and lets operators in while issuing is shed', () => {
    const { admission } = start(1);
    admission.enter('ISSUE');
    expect(admission.isFull('ISSUE')).toBe(true);
    expect(admission.enter('VALIDATE')).toBeUndefined();
    for (let calls = 0; calls < 5; calls++) expect(admission.enter('OPERATE')).toBeUndefined();
  });

  it('keeps the place of a call whose headers have come, so that not all of a full socket find room', () => {
    const { admission, endTurn } = start(2);
    admission.announce('ISSUE');
    admission.announce('ISSUE');
    expect(admission.isFull('ISSUE')).toBe(true);
    expect(admission.isFull('VALIDATE')).toBe(false);
    expect(admission.enter('ISSUE')).toBeUndefined();
    expect(admission.isFull('ISSUE')).toBe(true);
    endTurn();
    expect(admission.isFull('ISSUE')).toBe(false);
    admission.announce('ISSUE');
    expect(admission.isFull('ISSUE')).toBe(true);
    admission.leave('ISSUE', 1);
    expect(admission.isFull('ISSUE')).toBe(false);
  });

  it('refuses at once what could not be answered before its deadline, going by what calls took just now', () => {
    const { admission } = start(10);
    expect(admission.enter('ISSUE', 20)).toBeUndefined();
    admission.leave('ISSUE', 50);
    admission.observe();
    expect(admission.enter('ISSUE', 20)).toHaveProperty('cause', 'deadline');
    expect(admission.enter('ISSUE', 100)).toBeUndefined();
  });

  it('forgets how slow it was when nothing ended lately, so that it can find out that it is quick again', () => {
    const { admission } = start(10);
    admission.enter('ISSUE');
    admission.leave('ISSUE', 50);
    admission.observe();
    admission.observe();
    expect(admission.enter('ISSUE', 20)).toBeUndefined();
  });

  it('sends callers away for longer, the more are refused for each that is served', () => {
    const { admission } = start(1);
    admission.enter('ISSUE');
    for (let refused = 0; refused < 4; refused++) admission.enter('ISSUE');
    admission.leave('ISSUE', 1);
    admission.observe();
    expect(admission.retryAfterMs('ISSUE')).toBe(5000);
    expect(admission.retryAfterMs('VALIDATE')).toBe(1000);
  });

  it('tells once that an overload has begun, and once that it is over', () => {
    const { admission, overloads } = start(1);
    admission.enter('ISSUE');
    admission.enter('ISSUE');
    admission.observe();
    admission.observe();
    admission.leave('ISSUE', 1);
    for (let turn = 0; turn < 12; turn++) admission.observe();
    expect(overloads).toEqual([true, false]);
  });
});

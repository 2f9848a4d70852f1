import { describe, expect, it } from '@jest/globals';
import { ErrorReasonSchema } from '@callpass/contract';
import { STEPS, type Fault, type GatewayStep } from '../call/fault.ts';
import { diagnosisOf, outcomeOf } from './diagnosis.ts';

const GATEWAY_STEPS = STEPS.slice(2) as GatewayStep[];

describe('the diagnosis', () => {
  it.each([35, 46, 64, 65])('of code %i names the step, the code and what to do next', (code) => {
    const texts = GATEWAY_STEPS.map((at) => diagnosisOf({ at, cause: 'refused', code }));
    expect(new Set(texts.map(({ cause }) => cause)).size).toBe(GATEWAY_STEPS.length);
    for (const { cause, next, page } of texts) {
      expect(cause).toMatch(new RegExp(`^The gateway refused .* with code ${code}: `));
      expect([next.length > 20, page]).toEqual([true, 'docs/guides/refused-call.md']);
    }
  });

  it('of an unknown code says where to look it up', () => {
    const { cause, next } = diagnosisOf({ at: 'call', cause: 'refused', code: 77 });
    expect([cause, next]).toEqual([expect.stringContaining('code 77.'), expect.stringContaining('vendor')]);
  });

  it('names each reason of the contract with its status, and says what to do and where it is explained', () => {
    for (const { localName: reason } of ErrorReasonSchema.values) {
      const problem = { status: 403, reason, title: 'no' };
      const { cause, next, page } = diagnosisOf({ at: 'credentials', cause: 'refused', problem });
      expect(cause).toBe(`The edge refused the credentials: 403 ${reason}, no.`);
      expect([next.length > 20, page]).toEqual([true, `docs/errors.md#${reason.toLowerCase()}`]);
    }
  });

  it('has a text of its own for each way in which no answer comes', () => {
    const faults: Fault[] = [
      { at: 'page' },
      { at: 'microphone', cause: 'denied' },
      { at: 'microphone', cause: 'missing' },
      { at: 'credentials', cause: 'unusable' },
      ...(['unreachable', 'timeout', 'offline'] as const).flatMap((cause): Fault[] => [
        { at: 'credentials', cause },
        { at: 'subscription', cause },
        { at: 'websocket', cause },
      ]),
      { at: 'subscription', cause: 'no-sdk' },
      { at: 'audio', cause: 'lost' },
    ];
    const causes = faults.map((fault) => diagnosisOf(fault).cause);
    expect(new Set(causes).size).toBe(faults.length);
    for (const fault of faults) expect(diagnosisOf(fault).next).toMatch(/^[A-Z].*\.$/);
  });
});

describe('the outcome of a step', () => {
  it('says with what the call was refused', () => {
    const row = { step: 'call', status: 'failed' } as const;
    expect(outcomeOf(row, { at: 'call', cause: 'refused', code: 35 })).toBe('refused: code 35');
    expect(outcomeOf(row, { at: 'credentials', cause: 'refused', problem: { status: 502 } })).toBe(
      'refused: 502',
    );
    expect(outcomeOf(row, { at: 'websocket', cause: 'timeout' })).toBe('timed out');
    expect(outcomeOf({ ...row, status: 'pending' }, undefined)).toBe('not reached');
  });
});

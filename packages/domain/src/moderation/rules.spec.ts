import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import type { Destination } from '../realm/configuration.ts';
import { compileDestination, moderate, type Decision, type ModerationRequest } from './rules.ts';

const OPEN_MS = Date.UTC(2026, 10, 25, 10);
const NIGHT_MS = Date.UTC(2026, 10, 25, 22);

const SUPPORT: Destination = {
  id: 'support',
  realm: 'support.example',
  account: 'anonymous@kandy.example',
  callees: ['support@kandy.example', '*@sales.example'],
  callers: ['visitor@kandy.example'],
  enabled: true,
  requireSubject: true,
  hours: { timeZone: 'UTC', open: ['Mon-Fri 08:00-18:00'], closedDates: [] },
  limits: [],
};

function decide(request: Partial<ModerationRequest>, changes: Partial<Destination> = {}): Decision {
  const compiled = compileDestination({ ...SUPPORT, ...changes });
  return moderate(compiled, { subject: 'visitor-1', nowMs: OPEN_MS, ...request });
}

describe('moderate', () => {
  it('allows the default callee and the account when nothing is asked for', () => {
    const defaults = { allow: true, callee: 'support@kandy.example', caller: 'anonymous@kandy.example' };
    expect(decide({})).toEqual(defaults);
    expect(decide({ callee: '', caller: '' })).toEqual(defaults);
  });

  it('allows what the lists allow, as it was asked for', () => {
    expect(decide({ callee: 'emma@Sales.example', caller: 'visitor@kandy.example' })).toEqual({
      allow: true,
      callee: 'emma@Sales.example',
      caller: 'visitor@kandy.example',
    });
    expect(decide({ caller: 'anonymous@KANDY.example' })).toMatchObject({ allow: true });
  });

  it('refuses a disabled destination', () => {
    expect(decide({}, { enabled: false })).toEqual({
      allow: false,
      reason: 'DESTINATION_DISABLED',
      rule: 'enabled',
    });
  });

  it('refuses a request without a subject only where one is required', () => {
    expect(decide({ subject: '' })).toEqual({
      allow: false,
      reason: 'SUBJECT_REQUIRED',
      rule: 'requireSubject',
    });
    expect(decide({ subject: '' }, { requireSubject: false })).toMatchObject({ allow: true });
  });

  it('refuses a callee outside the list', () => {
    const refusal = { allow: false, reason: 'CALLEE_NOT_ALLOWED', rule: 'callees' };
    expect(decide({ callee: 'premium@number.example' })).toEqual(refusal);
    expect(decide({ callee: '*@sales.example' })).toEqual(refusal);
    expect(decide({ callee: 'anonymous@kandy.example' })).toEqual(refusal);
  });

  it('refuses a caller outside the list, the callees included, since a from token is also a to token', () => {
    const refusal = { allow: false, reason: 'CALLER_NOT_ALLOWED', rule: 'callers' };
    expect(decide({ caller: 'premium@number.example' })).toEqual(refusal);
    expect(decide({ caller: 'support@kandy.example' })).toEqual(refusal);
  });

  it('refuses a closed destination and says when it opens', () => {
    expect(decide({ nowMs: NIGHT_MS })).toEqual({
      allow: false,
      reason: 'DESTINATION_CLOSED',
      rule: 'hours',
      opensAtMs: Date.UTC(2026, 10, 26, 8),
    });
    expect(decide({ nowMs: NIGHT_MS }, { hours: undefined })).toMatchObject({ allow: true });
  });

  it('names no opening when the clock is broken, and stays closed', () => {
    expect(decide({ nowMs: NaN })).toEqual({ allow: false, reason: 'DESTINATION_CLOSED', rule: 'hours' });
  });

  it('asks in the order enabled, subject, callee, caller, hours', () => {
    const wrong = { subject: '', callee: 'x@x.example', caller: 'x@x.example', nowMs: NIGHT_MS };
    const rules = [
      decide(wrong, { enabled: false }),
      decide(wrong),
      decide({ ...wrong, subject: 's' }),
      decide({ ...wrong, subject: 's', callee: '' }),
      decide({ ...wrong, subject: 's', callee: '', caller: '' }),
    ].map((decision) => (decision.allow ? 'allow' : decision.rule));
    expect(rules).toEqual(['enabled', 'requireSubject', 'callees', 'callers', 'hours']);
  });

  it('moderates unrestricted calls all the same', () => {
    expect(decide({ callee: 'premium@number.example' }, { realm: undefined })).toMatchObject({
      allow: false,
    });
  });

  it('fails closed for a destination that checkConfiguration would refuse', () => {
    const hours = { timeZone: 'Nowhere', open: ['whenever'], closedDates: [] };
    expect(decide({}, { hours })).toEqual({ allow: false, reason: 'DESTINATION_CLOSED', rule: 'hours' });
    expect(decide({}, { callees: [] })).toMatchObject({ reason: 'CALLEE_NOT_ALLOWED' });
    expect(decide({}, { callees: ['*@sales.example'] })).toMatchObject({ reason: 'CALLEE_NOT_ALLOWED' });
    expect(decide({}, { account: '*@kandy.example' })).toMatchObject({ reason: 'CALLER_NOT_ALLOWED' });
  });

  it('answers any request to any destination, and allows only addresses of the lists', () => {
    const text = fc.oneof(
      fc.string({ unit: 'binary' }),
      fc.constantFrom('support@kandy.example', '*@sales.example'),
    );
    const time = fc.oneof(fc.double(), fc.integer({ min: 0, max: 4_102_444_800_000 }));
    const request = fc.record({ callee: text, caller: text, subject: text, nowMs: time });
    const destination = fc
      .record({
        account: text,
        callees: fc.array(text),
        callers: fc.array(text),
        hours: fc.record({ timeZone: text, open: fc.array(text), closedDates: fc.array(text) }),
      })
      .map((changes): Destination => ({ ...SUPPORT, ...changes }));
    fc.assert(
      fc.property(fc.oneof(destination, fc.constant(SUPPORT)), request, (given, asked) => {
        const decision = moderate(compileDestination(given), asked);
        if (decision.allow) {
          expect(compileDestination(given).callees.matches(decision.callee)).toBe(true);
          expect(compileDestination(given).callers.matches(decision.caller)).toBe(true);
        } else {
          expect(decision.rule).not.toBe('');
        }
      }),
      { numRuns: 2000 },
    );
  });
});

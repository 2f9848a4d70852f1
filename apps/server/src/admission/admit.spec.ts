import { AdminService, CredentialService } from '@callpass/contract';
import type { ServerCall } from '@callpass/grpc-kit';
import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { Refusal } from '../errors/refusal.ts';
import { METHODS } from '../methods.ts';
import { Admission } from './admission.ts';
import { admit } from './admit.ts';

const MAX_CALL_MS = 10_000;
const { issueCredentials } = CredentialService.method;
const { applyConfiguration } = AdminService.method;

let admission: Admission;
const shed: string[] = [];
beforeEach(() => {
  jest.useFakeTimers();
  shed.length = 0;
  admission = new Admission({
    bounds: { maxInFlight: 10, maxLagMs: 250 },
    eventLoop: { take: () => ({ lagMs: 0, busy: 0 }), stop: () => undefined },
    events: { onShed: (loadClass, cause) => shed.push(`${loadClass} ${cause}`), onOverload: () => undefined },
  });
});
afterEach(() => {
  admission.stop();
  jest.useRealTimers();
});

const admitting = () => admit(admission, METHODS, { maxCallMs: MAX_CALL_MS, maxCallsPerConnection: 1 });

/** One call; `end` ends what it does. Calls of one `session` come on one connection. */
function call(
  method: ServerCall['method'],
  deadline = Infinity,
  { interceptor = admitting(), session = {} } = {},
) {
  const work = Promise.withResolvers<void>();
  const grpcCall = { getDeadline: () => deadline, call: { stream: { session } } };
  let outcome: unknown = 'waits';
  const settle = (settled: unknown) => {
    if (outcome === 'waits') outcome = settled;
  };
  const serverCall = { method, grpcCall, abandon: settle } as unknown as ServerCall;
  interceptor(serverCall, () => work.promise).then(() => {
    settle('answered');
  }, settle);
  return { end: work.resolve, fail: work.reject, outcome: () => outcome };
}

describe('admit', () => {
  it('ends a call whose client set no deadline, and counts it as under way until its work has ended', async () => {
    const issuing = call(issueCredentials);
    await jest.advanceTimersByTimeAsync(MAX_CALL_MS - 1);
    expect(issuing.outcome()).toBe('waits');
    await jest.advanceTimersByTimeAsync(1);
    expect(issuing.outcome()).toMatchObject({ reason: 'OVERLOADED' });
    expect(shed).toEqual(['ISSUE deadline']);
    expect(admission.underWay('ISSUE')).toBe(1);
    issuing.end();
    await jest.advanceTimersByTimeAsync(0);
    expect(admission.underWay('ISSUE')).toBe(0);
  });

  it('leaves a call with a nearer deadline to that', async () => {
    const issuing = call(issueCredentials, Date.now() + MAX_CALL_MS - 1);
    await jest.advanceTimersByTimeAsync(2 * MAX_CALL_MS);
    expect(issuing.outcome()).toBe('waits');
  });

  it('never cuts off an operator, who may be mending the trouble', async () => {
    const applying = call(applyConfiguration);
    await jest.advanceTimersByTimeAsync(100 * MAX_CALL_MS);
    expect(applying.outcome()).toBe('waits');
    applying.end();
    await jest.advanceTimersByTimeAsync(0);
    expect(applying.outcome()).toBe('answered');
    expect(admission.underWay('OPERATE')).toBe(0);
  });

  it('hands on how a call ended, and lets go of it, also when it failed', async () => {
    const [good, bad] = [call(issueCredentials), call(issueCredentials)];
    const error = new Error('broken');
    good.end();
    bad.fail(error);
    await jest.advanceTimersByTimeAsync(0);
    expect(good.outcome()).toBe('answered');
    expect(bad.outcome()).toBe(error);
    expect(admission.underWay('ISSUE')).toBe(0);
  });

  it.each(['end', 'fail'] as const)(
    'refuses what one connection has too much of, until a call of it has ended: %s',
    async (how) => {
      const connection = { interceptor: admitting(), session: {} };
      const issuing = call(issueCredentials, Infinity, connection);
      expect(() => call(issueCredentials, Infinity, connection)).toThrow(Refusal);
      expect(admission.underWay('ISSUE')).toBe(1);
      expect(shed).toEqual(['ISSUE connection']);
      issuing[how]();
      await jest.advanceTimersByTimeAsync(0);
      call(issueCredentials, Infinity, connection);
      expect(admission.underWay('ISSUE')).toBe(1);
    },
  );

  it('lets another connection in while one has too much', () => {
    const interceptor = admitting();
    for (const session of [{}, {}]) call(issueCredentials, Infinity, { interceptor, session });
    expect(admission.underWay('ISSUE')).toBe(2);
  });

  it('keeps no place of a connection for a call that it refuses', () => {
    const connection = { interceptor: admitting(), session: {} };
    for (let calls = 0; calls < 10; calls++) call(issueCredentials);
    for (let calls = 0; calls < 2; calls++) {
      expect(() => call(issueCredentials, Infinity, connection)).toThrow(
        expect.objectContaining({ reason: 'OVERLOADED', message: expect.not.stringContaining('connection') }),
      );
    }
  });
});

import { describe, expect, it } from '@jest/globals';
import { createCallController, type CallParts, type PhoneEvent } from './controller.ts';
import type { Grant } from './credentials.ts';
import type { CallState } from './state.ts';

const START = Date.UTC(2026, 10, 25, 9);
const LIFETIME = 600_000;

function setUp(overrides: Partial<CallParts> = {}) {
  const seen: CallState[] = [];
  const asked: string[] = [];
  const placed: Grant[] = [];
  const phone = { hungUp: 0, muted: false, report: (_event: PhoneEvent) => {} };
  let nowMs = START;
  const controller = createCallController({
    askMicrophone: async () => 'granted',
    askEdge: async (destination) => {
      asked.push(destination);
      return {
        type: 'granted',
        grant: {
          callee: `${destination}@kandy.example`,
          credentials: { accountToken: `${asked.length}` },
          callOptions: { from: 'visitor@kandy.example' },
          issuedAtMs: nowMs,
          refreshAtMs: nowMs + LIFETIME / 2,
          expiresAtMs: nowMs + LIFETIME,
        },
      };
    },
    placeCall: (grant, report) => {
      placed.push(grant);
      phone.report = report;
      return {
        hangUp: () => void phone.hungUp++,
        setMuted: (muted) => void (phone.muted = muted),
      };
    },
    causeOf: () => 'unreachable',
    isOnline: () => true,
    now: () => nowMs,
    onChange: (state) => void seen.push(state),
    ...overrides,
  });
  const pass = (ms: number) => void (nowMs += ms);
  return { controller, seen, asked, placed, phone, pass, kinds: () => seen.map(({ kind }) => kind) };
}

describe('the call controller', () => {
  it('asks the microphone, then the edge, then the phone', async () => {
    const { controller, kinds, placed, phone } = setUp();
    await controller.call('support');
    phone.report({ type: 'ringing' });
    phone.report({ type: 'connected' });
    expect(placed[0]?.callee).toBe('support@kandy.example');
    expect(kinds()).toEqual(['microphone-asked', 'asking', 'connecting', 'ringing', 'connected']);
  });

  it('asks for no credentials where the microphone is refused', async () => {
    const { controller, seen, asked } = setUp({ askMicrophone: async () => 'denied' });
    await controller.call('support');
    expect(asked).toEqual([]);
    expect(seen.at(-1)).toMatchObject({ kind: 'failed', failure: { kind: 'microphone' } });
  });

  it('uses credentials again until their refresh time, and new ones from then on', async () => {
    const { controller, asked, placed, pass } = setUp();
    const callAndHangUp = async (destination: string) => {
      await controller.call(destination);
      controller.hangUp();
    };
    await callAndHangUp('support');
    pass(LIFETIME / 2 - 1);
    await callAndHangUp('support');
    expect(asked).toEqual(['support']);
    pass(1);
    await callAndHangUp('support');
    await callAndHangUp('lobby');
    expect(asked).toEqual(['support', 'support', 'lobby']);
    expect(placed.map(({ credentials }) => credentials['accountToken'])).toEqual(['1', '1', '2', '3']);
  });

  it('does not use credentials again that the gateway has refused', async () => {
    const { controller, asked, seen, phone } = setUp();
    await controller.call('support');
    phone.report({ type: 'failed', fault: { at: 'call', cause: 'refused', code: 65 } });
    expect(seen.at(-1)).toMatchObject({ kind: 'failed', failure: { kind: 'refused' } });
    await controller.call('support');
    expect(asked).toHaveLength(2);
  });

  it('shows an edge that refuses, and one that does not answer', async () => {
    const limited = setUp({
      askEdge: async () => ({
        type: 'refused',
        problem: { status: 429, reason: 'LIMIT_EXCEEDED', retryAfterMs: 7_000 },
      }),
    });
    await limited.controller.call('support');
    expect(limited.seen.at(-1)).toMatchObject({ failure: { kind: 'limited', againAtMs: START + 7_000 } });

    const down = setUp({ askEdge: () => Promise.reject(new TypeError('Failed to fetch')) });
    await down.controller.call('support');
    expect(down.seen.at(-1)).toMatchObject({ failure: { kind: 'unavailable' } });
  });

  it('reports the step and the cause of each fault', async () => {
    const setups: [Partial<CallParts>, object][] = [
      [{ askMicrophone: async () => 'missing' }, { at: 'microphone', cause: 'missing' }],
      [
        { askEdge: async () => ({ type: 'refused', problem: { status: 403, reason: 'FROZEN' } }) },
        { at: 'credentials', cause: 'refused', problem: { status: 403, reason: 'FROZEN' } },
      ],
      [
        { askEdge: () => Promise.reject(new Error()), causeOf: () => 'unusable' },
        { at: 'credentials', cause: 'unusable' },
      ],
      [
        { askEdge: () => Promise.reject(new Error()), isOnline: () => false },
        { at: 'credentials', cause: 'offline' },
      ],
    ];
    for (const [overrides, fault] of setups) {
      const { controller, seen } = setUp(overrides);
      await controller.call('support');
      expect(seen.at(-1)).toMatchObject({ kind: 'failed', fault });
    }
    const { controller, phone, seen } = setUp();
    await controller.call('support');
    phone.report({ type: 'step', step: 'websocket' });
    expect(seen.at(-1)).toEqual({ kind: 'connecting', step: 'websocket' });
    phone.report({ type: 'failed', fault: { at: 'websocket', cause: 'timeout' } });
    expect(seen.at(-1)).toMatchObject({
      failure: { kind: 'unavailable' },
      fault: { at: 'websocket', cause: 'timeout' },
    });
  });

  it('does not take a refusal of the gateway for a lost network', async () => {
    const { controller, phone, seen } = setUp({ isOnline: () => false });
    await controller.call('support');
    const fault = { at: 'call', cause: 'refused', code: 35 } as const;
    phone.report({ type: 'failed', fault });
    expect(seen.at(-1)).toMatchObject({ fault });
  });

  it('a visitor who hangs up while the edge is asked gets no call afterwards', async () => {
    const answer = Promise.withResolvers<never>();
    let aborted = false;
    const { controller, placed, kinds } = setUp({
      askEdge: (_destination, signal) => {
        signal.addEventListener('abort', () => {
          aborted = true;
          answer.reject(signal.reason);
        });
        return answer.promise;
      },
    });
    const calling = controller.call('support');
    await new Promise((resolve) => setTimeout(resolve));
    controller.hangUp();
    await calling;
    expect([aborted, placed.length, kinds().at(-1)]).toEqual([true, 0, 'ended']);
  });

  it('a visitor who hangs up while the microphone is asked gets no credentials afterwards', async () => {
    const microphone = Promise.withResolvers<'granted'>();
    const { controller, asked, kinds } = setUp({ askMicrophone: () => microphone.promise });
    const calling = controller.call('support');
    controller.hangUp();
    microphone.resolve('granted');
    await calling;
    expect([asked.length, kinds()]).toEqual([0, ['microphone-asked', 'ended']]);
  });

  it('hangs up the phone, mutes it, and hears nothing from a call that is over', async () => {
    const { controller, phone, kinds, seen } = setUp();
    controller.setMuted(true);
    expect(phone.muted).toBe(false);
    await controller.call('support');
    phone.report({ type: 'connected' });
    controller.setMuted(true);
    expect([phone.muted, seen.at(-1)]).toMatchObject([true, { muted: true }]);
    controller.hangUp();
    const late = phone.report;
    await controller.call('support');
    late({ type: 'ended' });
    expect([phone.hungUp, kinds().at(-1)]).toEqual([1, 'connecting']);
  });
});

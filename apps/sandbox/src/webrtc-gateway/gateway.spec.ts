import { beforeEach, describe, expect, it } from '@jest/globals';
import { createGateway, type Gateway } from './gateway.ts';
import type { Subscription } from './protocol/subscriptions.ts';
import { handWoundTime, type HandWoundTime } from './testing/hand-wound-time.ts';
import { listening, madeUpMedia, madeUpVerifier, type MadeUpMedia } from './testing/made-up-parts.ts';

const PARTY = { account: 'a1b2', realm: 'support.example' };
const HOUR_MS = 3_600_000;

let time: HandWoundTime;
let media: MadeUpMedia[];
let gateway: Gateway;
beforeEach(() => {
  time = handWoundTime();
  media = [];
  let ids = 0;
  gateway = createGateway({
    verifier: madeUpVerifier,
    createMedia() {
      const made = madeUpMedia();
      media.push(made);
      return made;
    },
    time,
    newId: () => `id-${(ids += 1)}`,
  });
});

async function subscribed(party: Parameters<Gateway['subscribe']>[0] = PARTY) {
  const subscription = await gateway.subscribe(party, HOUR_MS);
  const listener = listening();
  subscription.channel.attach(listener);
  return { subscription, listener };
}

const start = ({ channelId }: Subscription, more: object = {}) => ({
  from: 'f1',
  to: 't1',
  sdp: 'offer',
  notifyChannelId: channelId,
  ...more,
});

async function connected() {
  const { subscription, listener } = await subscribed();
  const id = await gateway.startCall(PARTY, start(subscription));
  time.advance(5000);
  return { subscription, listener, id };
}

const stateOf = (id: string) => gateway.calls().find((call) => call.id === id)?.state;
const refusedWith = (refusal: string) => expect.objectContaining({ refusal });

describe('a call', () => {
  it('rings no earlier than its answer can have arrived, then is picked up', async () => {
    const { subscription, listener } = await subscribed();
    const id = await gateway.startCall(PARTY, start(subscription));
    expect(listener.events()).toEqual([]);
    time.advance(150);
    expect(listener.events()).toEqual([{ eventType: 'ringing', sessionData: id }]);
    time.advance(1000);
    expect(listener.events()[1]).toEqual({
      eventType: 'respondCallUpdate',
      sessionData: id,
      sdp: 'answer to offer',
    });
    expect(stateOf(id)).toBe('CONNECTED');
  });

  it('goes on for as long as it is audited, and ends when the client falls silent', async () => {
    const { id, listener } = await connected();
    for (let minute = 0; minute < 10; minute += 1) {
      time.advance(50_000);
      gateway.audit(PARTY, id);
    }
    expect(stateOf(id)).toBe('CONNECTED');
    time.advance(60_000);
    expect(stateOf(id)).toBe('ENDED');
    expect(listener.events().at(-1)).toMatchObject({ eventType: 'callEnd', statusCode: 408 });
    expect(media[0]?.closed).toBe(true);
  });

  it('is held by an offer that only sends, and taken up again by one that does both', async () => {
    const { id, listener } = await connected();
    await gateway.update(PARTY, id, 'm=audio 9 RTP/SAVPF 0\r\na=sendonly\r\n');
    expect(stateOf(id)).toBe('HELD');
    time.advance(150);
    expect(listener.events().at(-1)).toMatchObject({ eventType: 'respondCallUpdate' });
    await gateway.update(PARTY, id, 'm=audio 9 RTP/SAVPF 0\r\na=sendrecv\r\n');
    expect(stateOf(id)).toBe('CONNECTED');
  });

  it('stays as it is when an offer makes no sense', async () => {
    const { id, listener } = await connected();
    const before = listener.events().length;
    await expect(gateway.update(PARTY, id, 'nonsense')).rejects.toEqual(refusedWith('BAD_CALL'));
    time.advance(1000);
    expect([stateOf(id), listener.events().length]).toEqual(['CONNECTED', before]);
  });

  it('ended by the client lets go of its media and is not notified any more', async () => {
    const { id, listener } = await connected();
    const before = listener.events().length;
    gateway.endCall(PARTY, id);
    time.advance(HOUR_MS / 2);
    expect([media[0]?.closed, listener.events().length]).toEqual([true, before]);
    expect(() => gateway.audit(PARTY, id)).toThrow(refusedWith('CALL_GONE'));
  });

  it('ended by the other side tells the client', async () => {
    const { id, listener } = await connected();
    expect(gateway.hangUp(id).state).toBe('ENDED');
    expect(listener.events().at(-1)).toMatchObject({ eventType: 'callEnd', statusCode: 200 });
    expect(() => gateway.hangUp(id)).toThrow(refusedWith('CALL_GONE'));
  });

  it('ended while it rings is never picked up', async () => {
    const { subscription, listener } = await subscribed();
    const id = await gateway.startCall(PARTY, start(subscription));
    time.advance(200);
    gateway.hangUp(id);
    time.advance(5000);
    expect(listener.events().map((event) => (event as { eventType: string }).eventType)).toEqual([
      'ringing',
      'callEnd',
    ]);
  });

  it('belongs to whoever began it: others find nothing', async () => {
    const { id } = await connected();
    for (const other of [
      { ...PARTY, account: 'b2' },
      { ...PARTY, realm: undefined },
    ]) {
      expect(() => gateway.audit(other, id)).toThrow(refusedWith('CALL_GONE'));
      expect(() => gateway.endCall(other, id)).toThrow(refusedWith('CALL_GONE'));
    }
    expect(stateOf(id)).toBe('CONNECTED');
  });

  it('keeps to one answer for each event id', async () => {
    const { subscription } = await subscribed();
    const texts: string[] = [];
    subscription.channel.attach({ send: (text) => void texts.push(text), dismiss: () => undefined });
    await gateway.startCall(PARTY, start(subscription));
    time.advance(5000);
    const ids = texts.map((text) => JSON.parse(text).notificationMessage.eventId);
    expect(new Set(ids).size).toBe(2);
  });
});

describe('a subscription', () => {
  it('that is not renewed ends with its calls, and nothing keeps running', async () => {
    const { subscription, listener, id } = await connected();
    const keepAlive = () => gateway.audit(PARTY, id);
    for (let passed = 0; passed < HOUR_MS - 60_000; passed += 50_000) {
      time.advance(50_000);
      keepAlive();
    }
    time.advance(59_000);
    expect([stateOf(id), listener.dismissed]).toEqual(['ENDED', true]);
    expect(gateway.channel(subscription.channelId)).toBeUndefined();
    expect(time.waiting()).toBe(0);
  });

  it('that is renewed lives on', async () => {
    const { subscription } = await subscribed();
    time.advance(HOUR_MS - 1);
    gateway.renew(PARTY, subscription.id, HOUR_MS);
    time.advance(HOUR_MS - 1);
    expect(gateway.channel(subscription.channelId)).toBeDefined();
  });

  it('keeps its notifications while nobody listens, and hands them over once', async () => {
    const { subscription, listener } = await subscribed();
    subscription.channel.detach(listener);
    await gateway.startCall(PARTY, start(subscription));
    time.advance(5000);
    const [second, third] = [listening(), listening()];
    subscription.channel.attach(second);
    subscription.channel.attach(third);
    expect(second.events()).toHaveLength(2);
    expect([second.dismissed, third.events()]).toEqual([true, []]);
  });

  it('is refused for what the service says of the account token', async () => {
    await expect(gateway.subscribe({ ...PARTY, account: 'TOKEN_EXPIRED' }, HOUR_MS)).rejects.toEqual(
      refusedWith('TOKEN_EXPIRED'),
    );
    expect(gateway.refusals()).toEqual([expect.objectContaining({ step: 'subscription', code: 65 })]);
  });

  it('is refused when there are a thousand, and taken again when one has gone', async () => {
    const first = await gateway.subscribe(PARTY, HOUR_MS);
    for (let n = 1; n < 1000; n += 1) await gateway.subscribe(PARTY, HOUR_MS);
    await expect(gateway.subscribe(PARTY, HOUR_MS)).rejects.toEqual(refusedWith('INTERNAL'));
    gateway.unsubscribe(PARTY, first.id);
    await expect(gateway.subscribe(PARTY, HOUR_MS)).resolves.toBeDefined();
  });
});

describe('the start of a call is refused', () => {
  it.each(['TOKEN_EXPIRED', 'INVALID_TOKEN', 'INVALID_REALM', 'NOT_ENABLED'])(
    'with %s when the service says so of any token',
    async (refusal) => {
      const { subscription } = await subscribed();
      for (const more of [{ from: refusal }, { to: refusal }]) {
        await expect(gateway.startCall(PARTY, start(subscription, more))).rejects.toEqual(
          refusedWith(refusal),
        );
      }
      expect(gateway.calls()).toEqual([]);
    },
  );

  it('when the callee has no CallMe service', async () => {
    const { subscription } = await subscribed();
    gateway.portal = { unrestrictedCalls: true, notEnabled: ['support@kandy.example'] };
    await expect(gateway.startCall(PARTY, start(subscription))).rejects.toEqual(refusedWith('NOT_ENABLED'));
  });

  it('on a channel that is gone or belongs to somebody else', async () => {
    const { subscription } = await subscribed();
    const other = { ...PARTY, account: 'b2' };
    await expect(gateway.startCall(other, start(subscription))).rejects.toEqual(refusedWith('CHANNEL_GONE'));
    gateway.unsubscribe(PARTY, subscription.id);
    await expect(gateway.startCall(PARTY, start(subscription))).rejects.toEqual(refusedWith('CHANNEL_GONE'));
  });

  it('when nothing can be made of the offer, and nothing is left of it', async () => {
    const { subscription } = await subscribed();
    await expect(gateway.startCall(PARTY, start(subscription, { sdp: 'nonsense' }))).rejects.toEqual(
      refusedWith('BAD_CALL'),
    );
    expect([gateway.calls(), media[0]?.closed]).toEqual([[], true]);
  });

  it('when fifty are under way, counting those that are being placed', async () => {
    const { subscription } = await subscribed();
    const starts = Array.from({ length: 60 }, () => gateway.startCall(PARTY, start(subscription)));
    const outcomes = await Promise.allSettled(starts);
    expect(outcomes.filter(({ status }) => status === 'fulfilled')).toHaveLength(50);
  });
});

describe('without tokens', () => {
  const CALLEE = { account: 'lobby@kandy.example', realm: undefined };
  const lobby = { from: 'Visitor<sip:guest@kandy.example>', to: 'sip:lobby@kandy.example' };

  it('a call names its parties in clear', async () => {
    const { subscription } = await subscribed(CALLEE);
    await gateway.startCall(CALLEE, start(subscription, lobby));
    expect(gateway.calls()[0]).toMatchObject({
      caller: 'guest@kandy.example',
      callee: 'lobby@kandy.example',
    });
  });

  it('nothing is taken where unrestricted calls are switched off', async () => {
    gateway.portal = { unrestrictedCalls: false, notEnabled: [] };
    await expect(gateway.subscribe(CALLEE, HOUR_MS)).rejects.toEqual(refusedWith('INVALID_TOKEN'));
  });

  it('a callee without the service is refused at the subscription already', async () => {
    gateway.portal = { unrestrictedCalls: true, notEnabled: ['lobby@kandy.example'] };
    await expect(gateway.subscribe(CALLEE, HOUR_MS)).rejects.toEqual(refusedWith('NOT_ENABLED'));
  });

  it('what is no address is refused, as a page does that calls with the answer of a failed request', async () => {
    const nobody = { account: 'null', realm: undefined };
    await expect(gateway.subscribe(nobody, HOUR_MS)).rejects.toEqual(refusedWith('INVALID_TOKEN'));
  });
});

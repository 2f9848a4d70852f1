import { OPEN_PORTAL, type Portal } from './portal.ts';
import { createCall, createCalls, type CallView, type Media } from './protocol/calls.ts';
import type { Channel } from './protocol/channel.ts';
import { notificationText, type CallEvent } from './protocol/notification.ts';
import { REFUSALS, Refusal, type RefusalName } from './protocol/refusal.ts';
import { isHold } from './protocol/session-description.ts';
import { createSubscriptions, type Party, type Subscription } from './protocol/subscriptions.ts';
import type { Time } from './protocol/time.ts';
import { withoutScheme } from './verification/verify-by-service.ts';
import type { Parties, Verifier } from './verification/verifier.ts';

/** Request to begin a call: tokens if the party has a realm, else `sip:user@domain`. */
export interface CallStart {
  readonly from: string;
  readonly to: string;
  readonly sdp: string;
  readonly notifyChannelId: string;
}

/** A refusal as the developer's panel tells it. */
export interface RefusalView {
  /** RFC 3339. */
  readonly at: string;
  readonly step: 'subscription' | 'call';
  readonly code: number;
  readonly meaning: string;
}

/** The emulated gateway, without HTTP. What it refuses, it refuses with a {@link Refusal}. */
export interface Gateway {
  subscribe(party: Party, lifetimeMs: number): Promise<Subscription>;
  renew(party: Party, subscriptionId: string, lifetimeMs: number): Subscription;
  unsubscribe(party: Party, subscriptionId: string): void;
  channel(channelId: string): Channel | undefined;
  /** Resolves with the call's id; the phone begins to ring a little later, when the client knows the id. */
  startCall(party: Party, start: CallStart): Promise<string>;
  audit(party: Party, callId: string): void;
  update(party: Party, callId: string, offer: string): Promise<void>;
  endCall(party: Party, callId: string): void;
  /** The other side hangs up. */
  hangUp(callId: string): CallView;
  calls(): readonly CallView[];
  /** The last 50 refusals, newest first. */
  refusals(): readonly RefusalView[];
  portal: Portal;
  /** Ends all calls and subscriptions. */
  close(): void;
}

/** Dependencies of the gateway. */
export interface GatewayParts {
  readonly verifier: Verifier;
  readonly createMedia: () => Media;
  readonly time: Time;
  /** Unguessable, each differs. */
  readonly newId: () => string;
  /** Time for an HTTP response to reach the client, in milliseconds; the first ring and responses to updates wait for it. */
  readonly heardAfterMs?: number;
  /** From the first ring until the callee picks up. */
  readonly pickUpAfterMs?: number;
}

const MAX_SUBSCRIPTIONS = 1000;
const MAX_CALLS = 50;
const MAX_REFUSALS = 50;
/** The SDK audits every 25 s. */
const SILENCE_LIMIT_MS = 60_000;
const NORMAL_CLEARING = { statusCode: 200, reasonText: 'the other side hung up' };

/** A gateway with no calls. */
export function createGateway(parts: GatewayParts): Gateway {
  const { verifier, createMedia, time, newId, heardAfterMs = 150, pickUpAfterMs = 1000 } = parts;
  const calls = createCalls();
  const subscriptions = createSubscriptions({
    time,
    newId,
    max: MAX_SUBSCRIPTIONS,
    onEnd(subscription) {
      for (const call of calls.going()) if (call.subscription === subscription) call.end();
    },
  });
  let starting = 0;
  let refused: RefusalView[] = [];

  async function recorded<T>(step: RefusalView['step'], attempt: () => Promise<T>): Promise<T> {
    try {
      return await attempt();
    } catch (error) {
      const name: RefusalName = error instanceof Refusal ? error.refusal : 'INTERNAL';
      const { code, meaning } = REFUSALS[name];
      const at = new Date(time.now()).toISOString();
      refused = [{ at, step, code, meaning }, ...refused].slice(0, MAX_REFUSALS);
      throw error;
    }
  }
  function assertUnrestricted(callee: string): void {
    if (!gateway.portal.unrestrictedCalls) throw new Refusal('INVALID_TOKEN');
    if (!/^[^@\s;:]+@[^@\s;:]+$/.test(callee)) throw new Refusal('INVALID_TOKEN');
    assertEnabled(callee);
  }
  function assertEnabled(callee: string): void {
    if (gateway.portal.notEnabled.includes(callee)) throw new Refusal('NOT_ENABLED');
  }
  async function partiesOf({ account, realm }: Party, { from, to }: CallStart): Promise<Parties> {
    if (realm === undefined) {
      const callee = withoutScheme(to);
      assertUnrestricted(callee);
      // The SDK may send a name around the address: Name<sip:user@domain>.
      return { caller: withoutScheme(/<(.*)>$/.exec(from)?.[1] ?? from), callee };
    }
    const parties = await verifier.verifyCall({ realm, accountToken: account, fromToken: from, toToken: to });
    assertEnabled(parties.callee);
    return parties;
  }
  async function place(subscription: Subscription, parties: Parties, offer: string): Promise<string> {
    const id = newId();
    const media = createMedia();
    const firstAnswer = await media.answer(offer).catch(async (cause: unknown) => {
      await media.close();
      throw new Refusal('BAD_CALL', { cause });
    });
    // It may have ended while the tokens were looked at.
    if (subscriptions.channel(subscription.channelId) === undefined) {
      await media.close();
      throw new Refusal('CHANNEL_GONE');
    }
    const call = createCall({
      id,
      subscription,
      ...parties,
      media,
      firstAnswer,
      isHold,
      notify: (event: CallEvent) => subscription.channel.notify(notificationText(id, newId(), event)),
      onEnd: () => calls.remove(id),
      time,
      silenceLimitMs: SILENCE_LIMIT_MS,
      heardAfterMs,
    });
    calls.add(call);
    time.after(heardAfterMs, () => {
      call.ring();
      time.after(pickUpAfterMs, () => call.pickUp());
    });
    return id;
  }

  const gateway: Gateway = {
    portal: OPEN_PORTAL,
    subscribe: (party, lifetimeMs) =>
      recorded('subscription', async () => {
        if (party.realm === undefined) assertUnrestricted(party.account);
        else await verifier.verifyAccount(party.realm, party.account);
        return subscriptions.add(party, lifetimeMs);
      }),
    renew: (party, id, lifetimeMs) => subscriptions.renew(party, id, lifetimeMs),
    unsubscribe: (party, id) => subscriptions.remove(party, id),
    channel: (id) => subscriptions.channel(id),
    startCall: (party, start) =>
      recorded('call', async () => {
        const subscription = subscriptions.ofParty(party, start.notifyChannelId);
        if (calls.going().length + starting >= MAX_CALLS) throw new Refusal('INTERNAL');
        starting += 1;
        try {
          return await place(subscription, await partiesOf(party, start), start.sdp);
        } finally {
          starting -= 1;
        }
      }),
    audit(party, id) {
      calls.ofParty(party, id).audit();
    },
    update: async (party, id, offer) => calls.ofParty(party, id).update(offer),
    endCall(party, id) {
      calls.ofParty(party, id).end();
    },
    hangUp(id) {
      const call = calls.get(id);
      call.hangUp(NORMAL_CLEARING.statusCode, NORMAL_CLEARING.reasonText);
      return call.view();
    },
    calls: () => calls.views(),
    refusals: () => refused,
    close: () => subscriptions.clear(),
  };
  return gateway;
}

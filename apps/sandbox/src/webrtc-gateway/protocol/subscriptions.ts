import { createChannel, type Channel } from './channel.ts';
import { Refusal } from './refusal.ts';
import type { Time } from './time.ts';

/** Party of a subscription: the account token with its realm, or for unrestricted calls the callee's address. */
export interface Party {
  readonly account: string;
  readonly realm: string | undefined;
}

/** A client's subscription with its channel of notifications. */
export interface Subscription extends Party {
  readonly id: string;
  readonly channelId: string;
  readonly channel: Channel;
}

/** The subscriptions in force. Each ends by itself when it is not renewed in time. */
export interface Subscriptions {
  /** Throws {@link Refusal} INTERNAL when there are too many. */
  add(party: Party, lifetimeMs: number): Subscription;
  /** Throws {@link Refusal} CHANNEL_GONE unless there is such a subscription of this party. */
  renew(party: Party, id: string, lifetimeMs: number): Subscription;
  /** Throws {@link Refusal} CHANNEL_GONE unless there is such a subscription of this party. */
  remove(party: Party, id: string): void;
  /** Throws {@link Refusal} CHANNEL_GONE unless there is such a channel of this party. */
  ofParty(party: Party, channelId: string): Subscription;
  channel(channelId: string): Channel | undefined;
  size(): number;
  /** Ends all of them. */
  clear(): void;
}

/** No subscriptions yet. `onEnd` hears of each that ends, however it does. */
export function createSubscriptions(options: {
  time: Time;
  newId: () => string;
  max: number;
  onEnd: (subscription: Subscription) => void;
}): Subscriptions {
  const { time, newId, max, onEnd } = options;
  const byId = new Map<string, { subscription: Subscription; cancelExpiry: () => void }>();
  const byChannel = new Map<string, Subscription>();

  function end(id: string): void {
    const entry = byId.get(id);
    if (entry === undefined) return;
    entry.cancelExpiry();
    byId.delete(id);
    byChannel.delete(entry.subscription.channelId);
    onEnd(entry.subscription);
    entry.subscription.channel.close();
  }
  const keep = (subscription: Subscription, lifetimeMs: number): Subscription => {
    byId.get(subscription.id)?.cancelExpiry();
    const cancelExpiry = time.after(lifetimeMs, () => end(subscription.id));
    byId.set(subscription.id, { subscription, cancelExpiry });
    return subscription;
  };
  const owned = (party: Party, subscription: Subscription | undefined): Subscription => {
    if (subscription && isSame(party, subscription)) return subscription;
    throw new Refusal('CHANNEL_GONE');
  };

  return {
    add(party, lifetimeMs) {
      if (byId.size >= max) throw new Refusal('INTERNAL');
      const subscription = { ...party, id: newId(), channelId: newId(), channel: createChannel() };
      byChannel.set(subscription.channelId, subscription);
      return keep(subscription, lifetimeMs);
    },
    renew: (party, id, lifetimeMs) => keep(owned(party, byId.get(id)?.subscription), lifetimeMs),
    remove(party, id) {
      end(owned(party, byId.get(id)?.subscription).id);
    },
    ofParty: (party, channelId) => owned(party, byChannel.get(channelId)),
    channel: (channelId) => byChannel.get(channelId)?.channel,
    size: () => byId.size,
    clear() {
      for (const id of [...byId.keys()]) end(id);
    },
  };
}

/** Checks if two requests come from the same party. */
export function isSame(one: Party, other: Party): boolean {
  return one.account === other.account && one.realm === other.realm;
}

import type { ConnectionLimits } from './peer-bounds.ts';

/** The least share: a service opens some connections at once, and so does a test that starts many. */
const LEAST_SHARE = 16;
/** Part of the places that may be without a finished handshake, altogether and of those of one peer. */
const PART = 4;

const shareOf = (places: number) => Math.max(LEAST_SHARE, Math.floor(places / PART));

/**
 * Limits on connections whose handshake is not finished. They have a share of the places: a quarter of all, and a quarter of
 * those of one peer. An honest client finishes at once, so beyond a share the oldest can give way.
 */
export function handshakeLimits({ max, maxPerPeer }: ConnectionLimits): ConnectionLimits {
  return { max: shareOf(max), maxPerPeer: maxPerPeer === 0 ? 0 : shareOf(maxPerPeer) };
}

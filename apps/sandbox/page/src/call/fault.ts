import type { Problem } from './problem.ts';

/** The steps of a call in order. The browser does the first, the edge the second, the WebRTC gateway the others. */
export const STEPS = ['microphone', 'credentials', 'subscription', 'websocket', 'call', 'audio'] as const;

/** One of {@link STEPS}. */
export type Step = (typeof STEPS)[number];

/** A step that the WebRTC gateway takes part in. */
export type GatewayStep = Exclude<Step, 'microphone' | 'credentials'>;

/** Cause of a fault without an answer: no connection, no answer in time, or no network at all. */
export type NoAnswer = 'unreachable' | 'timeout' | 'offline';

/** The step at which a call failed, and the cause. Technical: for developers, not for visitors. */
export type Fault =
  | { readonly at: 'page' }
  | { readonly at: 'microphone'; readonly cause: 'denied' | 'missing' }
  | { readonly at: 'credentials'; readonly cause: 'refused'; readonly problem: Problem }
  | { readonly at: 'credentials'; readonly cause: NoAnswer | 'unusable' }
  | { readonly at: GatewayStep; readonly cause: 'refused'; readonly code: number }
  | { readonly at: GatewayStep; readonly cause: NoAnswer | 'no-sdk' | 'lost' };

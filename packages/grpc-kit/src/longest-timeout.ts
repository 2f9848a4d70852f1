/** Longest time limit of a call in ms: a timer of Node that is set for longer, 24.8 days, ends at once. */
export const LONGEST_TIMEOUT_MS = 2_147_483_000;

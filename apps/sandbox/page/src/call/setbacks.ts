import type { Setback } from './state.ts';

/** What the edge says when it refuses: `application/problem+json` and the `Retry-After` header. */
export interface Problem {
  readonly status: number;
  readonly reason?: string;
  /** When the destination opens next, milliseconds since the epoch. */
  readonly opensAtMs?: number;
  readonly retryAfterMs?: number;
}

type Words = Pick<Setback, 'headline' | 'advice'>;

const LATER = 'This is not your fault. Please try again a little later.';
const NOT_REACHABLE: Words = {
  headline: 'This line cannot be called from here',
  advice: 'Please choose another one, or contact us another way.',
};
const SWITCHED_OFF: Words = {
  headline: 'This line is switched off at the moment',
  advice: 'Please try another one, or come back later.',
};
const DOWN: Words = { headline: 'Calls are not possible right now', advice: LATER };

/** What a visitor can be told for each reason that the edge passes on; everything else is a fault of ours. */
const REASONS: ReadonlyMap<string | undefined, Words> = new Map([
  ['CLIENT_NOT_GRANTED', NOT_REACHABLE],
  ['CALLEE_NOT_ALLOWED', NOT_REACHABLE],
  ['CALLER_NOT_ALLOWED', NOT_REACHABLE],
  [
    'SUBJECT_REQUIRED',
    {
      headline: 'Please sign in first',
      advice: 'This line is for visitors we know. Sign in, then call again.',
    },
  ],
  [
    'HUMAN_CHECK_REQUIRED',
    {
      headline: 'Please show first that you are a person',
      advice: 'This page has no way to ask you for that. Please contact us another way.',
    },
  ],
  ['DESTINATION_DISABLED', SWITCHED_OFF],
  ['FROZEN', SWITCHED_OFF],
]);

/** What the gateway's refusal codes mean to a visitor; a developer finds more in docs/guides/refused-call.md. */
const GATEWAY_CODES: ReadonlyMap<number, Words> = new Map([
  [35, { headline: 'This line does not take calls from the web', advice: 'Please contact us another way.' }],
  [46, { headline: 'The call was not let through', advice: LATER }],
  [64, { headline: 'The call was not let through', advice: LATER }],
  [65, { headline: 'That took too long', advice: 'The permission to call has run out. Please call again.' }],
]);

/** The setback for an answer of the edge that is not a grant. */
export function setbackOfProblem(problem: Problem, nowMs: number): Setback {
  const { reason, opensAtMs, retryAfterMs } = problem;
  const again = opensAtMs ?? (retryAfterMs === undefined ? undefined : nowMs + retryAfterMs);
  const againAt = again === undefined ? {} : { againAtMs: again };
  if (reason === 'DESTINATION_CLOSED') {
    return {
      kind: 'closed',
      headline: 'We are closed right now',
      advice: 'Please come back later.',
      ...againAt,
    };
  }
  if (problem.status === 429) {
    return {
      kind: 'limited',
      headline: 'That was a lot of calls',
      advice: 'Please wait a moment before you call again.',
      ...againAt,
    };
  }
  const words = REASONS.get(reason);
  if (words !== undefined) return { kind: 'refused', ...words };
  return problem.status >= 500 ? unavailable : { kind: 'refused', ...NOT_REACHABLE };
}

/** The setback for a refusal of the gateway, by its code where the SDK shows one. */
export function setbackOfGateway(code: number | undefined): Setback {
  const words = code === undefined ? undefined : GATEWAY_CODES.get(code);
  if (words === undefined) return unavailable;
  return { kind: 'refused', ...words, advice: `${words.advice} (Code ${code})` };
}

/** Nobody answers: the edge, the gateway or the network is down. */
export const unavailable: Setback = { kind: 'unavailable', ...DOWN };

/** The browser gives the page no microphone. */
export function setbackOfMicrophone(error: 'denied' | 'missing'): Setback {
  return error === 'denied'
    ? {
        kind: 'microphone',
        headline: 'Your microphone is blocked',
        advice: 'Allow it with the icon beside the address, then call again.',
      }
    : {
        kind: 'microphone',
        headline: 'No microphone was found',
        advice: 'Connect one, or close the program that is using it, then call again.',
      };
}

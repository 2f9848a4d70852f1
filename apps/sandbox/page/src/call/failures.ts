import type { CallFailure } from './state.ts';

/** Refusal of the edge: `application/problem+json` (RFC 9457) and the `Retry-After` header. */
export interface Problem {
  readonly status: number;
  readonly reason?: string;
  /** Next opening of the destination, in milliseconds since the epoch. */
  readonly opensAtMs?: number;
  readonly retryAfterMs?: number;
}

type Words = Pick<CallFailure, 'headline' | 'advice'>;

const LATER = 'The problem is on our side. Please try again in a few minutes.';
const NOT_REACHABLE: Words = {
  headline: 'This line cannot be called from here',
  advice: 'Please choose another one, or contact us another way.',
};
const SWITCHED_OFF: Words = {
  headline: 'This line is switched off at the moment',
  advice: 'Please try another one, or come back later.',
};
const DOWN: Words = { headline: 'Calls are not possible right now', advice: LATER };

/** Texts for the reasons that the edge passes on; everything else is a fault of the service. */
const REASONS: ReadonlyMap<string | undefined, Words> = new Map([
  ['CLIENT_NOT_GRANTED', NOT_REACHABLE],
  ['CALLEE_NOT_ALLOWED', NOT_REACHABLE],
  ['CALLER_NOT_ALLOWED', NOT_REACHABLE],
  [
    'SUBJECT_REQUIRED',
    {
      headline: 'Please sign in first',
      advice: 'Only signed-in visitors can call this line. Sign in, then call again.',
    },
  ],
  [
    'HUMAN_CHECK_REQUIRED',
    {
      headline: 'Please confirm that you are a person',
      advice: 'This page cannot ask you for that. Please contact us another way.',
    },
  ],
  ['DESTINATION_DISABLED', SWITCHED_OFF],
  ['FROZEN', SWITCHED_OFF],
]);

/** Texts for the gateway's refusal codes. Developers find more in docs/guides/refused-call.md. */
const GATEWAY_CODES: ReadonlyMap<number, Words> = new Map([
  [35, { headline: 'This line does not take calls from the web', advice: 'Please contact us another way.' }],
  [46, { headline: 'The call was refused', advice: LATER }],
  [64, { headline: 'The call was refused', advice: LATER }],
  [65, { headline: 'That took too long', advice: 'The permission to call has expired. Please call again.' }],
]);

/** Failure for a response of the edge that is not a grant. */
export function failureOfProblem(problem: Problem, nowMs: number): CallFailure {
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
      headline: 'Too many calls',
      advice: 'Please wait a moment before you call again.',
      ...againAt,
    };
  }
  const words = REASONS.get(reason);
  if (words !== undefined) return { kind: 'refused', ...words };
  return problem.status >= 500 ? unavailable : { kind: 'refused', ...NOT_REACHABLE };
}

/** Failure for a refusal of the gateway, by its code if the SDK reports one. */
export function failureOfGateway(code: number | undefined): CallFailure {
  const words = code === undefined ? undefined : GATEWAY_CODES.get(code);
  if (words === undefined) return unavailable;
  return { kind: 'refused', ...words, advice: `${words.advice} (Code ${code})` };
}

/** Failure without a response: the edge, the gateway or the network is down. */
export const unavailable: CallFailure = { kind: 'unavailable', ...DOWN };

/** Failure without a microphone. */
export function failureOfMicrophone(error: 'denied' | 'missing'): CallFailure {
  return error === 'denied'
    ? {
        kind: 'microphone',
        headline: 'Your microphone is blocked',
        advice: 'Allow it with the icon beside the address, then call again.',
      }
    : {
        kind: 'microphone',
        headline: 'No microphone was found',
        advice: 'Connect a microphone, or close the program that uses it, then call again.',
      };
}

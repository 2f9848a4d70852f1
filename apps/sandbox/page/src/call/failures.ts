import type { Fault } from './fault.ts';
import type { Problem } from './problem.ts';
import type { CallFailure } from './state.ts';

type Words = Pick<CallFailure, 'headline' | 'advice'>;

const LATER = 'The problem is on our side. Please try again in a few minutes.';
const OTHER_WAY = 'Please choose another line, or contact us another way.';
const NOT_REACHABLE: Words = { headline: 'This line cannot be called from here', advice: OTHER_WAY };
const SWITCHED_OFF: Words = {
  headline: 'This line is switched off at the moment',
  advice: 'Please choose another line, or come back later.',
};

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
const GATEWAY_CODES: ReadonlyMap<number, Words & Pick<CallFailure, 'callable'>> = new Map([
  [35, { headline: 'This line does not take calls from the web', advice: OTHER_WAY, callable: false }],
  [46, { headline: 'The call was refused', advice: LATER, callable: false }],
  [64, { headline: 'The call was refused', advice: LATER, callable: false }],
  // New credentials are asked for at the next call.
  [
    65,
    {
      headline: 'That took too long',
      advice: 'The permission to call has expired. Please call again.',
      callable: true,
    },
  ],
]);

/** Failure without a response: the edge, the gateway or the network is down. */
export const unavailable: CallFailure = {
  kind: 'unavailable',
  headline: 'Calls are not possible right now',
  advice: LATER,
  callable: true,
};

const OFFLINE: CallFailure = {
  kind: 'unavailable',
  headline: 'You are offline',
  advice: 'Check your internet connection, then try again.',
  callable: false,
};

const LOST: CallFailure = {
  kind: 'unavailable',
  headline: 'The connection was lost',
  advice: 'Check your internet connection, then call again.',
  callable: true,
};

/** Failure for a fault, with the texts for the visitor. */
export function failureOf(fault: Fault, nowMs: number): CallFailure {
  if (fault.at === 'page') return unavailable;
  if (fault.at === 'microphone') return failureOfMicrophone(fault.cause);
  if (fault.cause === 'offline') return OFFLINE;
  if (fault.cause === 'lost') return LOST;
  if (fault.cause !== 'refused') return unavailable;
  return fault.at === 'credentials' ? failureOfProblem(fault.problem, nowMs) : failureOfGateway(fault.code);
}

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
      // Without a time nobody knows when it opens.
      callable: again !== undefined,
      ...againAt,
    };
  }
  if (problem.status === 429) {
    return {
      kind: 'limited',
      headline: 'Too many calls',
      advice: 'Please wait a moment before you call again.',
      callable: true,
      ...againAt,
    };
  }
  const words = REASONS.get(reason);
  if (words !== undefined) return { kind: 'refused', callable: false, ...words };
  return problem.status >= 500
    ? { ...unavailable, ...againAt }
    : { kind: 'refused', callable: false, ...NOT_REACHABLE };
}

/** Failure for a refusal of the gateway, by its code if the SDK reports one. */
export function failureOfGateway(code: number | undefined): CallFailure {
  const words = code === undefined ? undefined : GATEWAY_CODES.get(code);
  if (words === undefined) return unavailable;
  return { kind: 'refused', ...words, advice: `${words.advice} (Code ${code})` };
}

/** Failure without a microphone. */
export function failureOfMicrophone(cause: 'denied' | 'missing'): CallFailure {
  return cause === 'denied'
    ? {
        kind: 'microphone',
        headline: 'Your microphone is blocked',
        advice: 'Allow it with the icon beside the address, then try again.',
        callable: false,
      }
    : {
        kind: 'microphone',
        headline: 'No microphone was found',
        advice: 'Connect a microphone, or close the program that uses it, then try again.',
        callable: false,
      };
}

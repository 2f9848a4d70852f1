import {
  addSpanEvent,
  ATTR_ATTEMPT,
  ATTR_REASON,
  ATTR_RETRY_DELAY_MS,
  EVENT_HEDGE,
  EVENT_RETRY,
} from '@callpass/telemetry';
import { setTimeout as pause } from 'node:timers/promises';
import { status } from '@grpc/grpc-js';
import { CallpassError } from '../errors/callpass-error.ts';
import { cancelledError } from '../errors/of-the-client.ts';

/**
 * Options of retries. A call that may be repeated is retried after UNAVAILABLE only, never after RESOURCE_EXHAUSTED, within
 * the deadline of the call and the budget of the connection. The pause before attempt n is random between 0 and
 * `initialBackoffMs` x 2^(n-1), capped, or what the service asked for if that is longer.
 *
 * @example
 * ```ts
 * const client = createCredentialClient({ address, retry: { maxAttempts: 2, initialBackoffMs: 50 } });
 * ```
 */
export interface RetryOptions {
  /** Largest number of attempts, including the first. Default: 4. */
  readonly maxAttempts?: number;
  /** Longest pause before the second attempt, in ms. Default: 100. */
  readonly initialBackoffMs?: number;
  /** Longest pause before any attempt, in ms. Default: 2,000. */
  readonly maxBackoffMs?: number;
  /**
   * Budget of the connection, as in gRPC's retryThrottling: each UNAVAILABLE, OVERLOADED and hedge takes a token, each other
   * response of the service, including a refusal, returns `budgetRatio` tokens, and nothing is repeated while half of the
   * tokens or more are gone. Calls that share an RPC count each. Default: 100, so at most 50 repetitions at once; 1,000 where the
   * client coalesces, so that the calls of a lost RPC can all be repeated.
   */
  readonly budgetTokens?: number;
  /** Tokens that a response returns to the budget. Default: 0.1, so that at most one call in ten is repeated for long. */
  readonly budgetRatio?: number;
  /**
   * Time in ms without an answer after which a call of CredentialService that may be repeated is also sent to another
   * instance, once; the first answer counts. Default: 300. `Infinity` for never.
   */
  readonly hedgeAfterMs?: number;
}

/** Clock, pauses and randomness of retries; replaced in tests. */
export interface Timing {
  /** The current time, in ms since the epoch. */
  now(): number;
  /** Resolves after so many ms, or rejects when the signal aborts. */
  sleep(ms: number, signal: AbortSignal | undefined): Promise<void>;
  /** A random number from 0 to 1, excluding 1. */
  random(): number;
}

/** A call to run with retries. */
export interface RetriedCall<T> {
  /** Makes an attempt that may last so many ms; rejects with a {@link CallpassError}, or with a fault of the caller. */
  readonly attempt: (timeoutMs: number) => Promise<T>;
  /** True if a repetition changes nothing. */
  readonly repeatable: boolean;
  readonly timeoutMs: number;
  readonly signal: AbortSignal | undefined;
}

/** Makes calls, and makes them again where that is allowed. One for a connection, so that its calls share the budget. */
export interface Retries {
  run<T>(call: RetriedCall<T>): Promise<T>;
  /** Pauses after so many attempts in a row that have failed, at least for `askedMs`. Rejects with CANCELLED when the signal aborts. */
  pause(attempts: number, askedMs: number | undefined, signal: AbortSignal | undefined): Promise<void>;
  /** The current time, in ms since the epoch. */
  now(): number;
  /** Time in ms after which an attempt may be hedged; `Infinity` for never. */
  readonly hedgeAfterMs: number;
  /** Takes the tokens of a hedge for so many calls from the budget; `false` when there is none to spare. */
  takeHedge(calls: number): boolean;
}

const systemTiming: Timing = {
  now: () => Date.now(),
  sleep: (ms, signal) => pause(ms, undefined, { signal }),
  // Jitter, no secret.
  random: () => Math.random(),
};

/** Retries by these options. Throws RangeError on one that makes no sense. */
export function createRetries(options: RetryOptions | false = {}, timing: Timing = systemTiming): Retries {
  const { maxAttempts, initialBackoffMs, maxBackoffMs, budgetTokens, budgetRatio, hedgeAfterMs } = checked(
    options === false ? { maxAttempts: 1, hedgeAfterMs: Infinity } : options,
  );
  let tokens = budgetTokens;
  const spent = () => tokens <= budgetTokens / 2;
  const spend = (error: unknown) => {
    if (isUnavailable(error) || isOverloaded(error)) tokens = Math.max(0, tokens - 1);
    else if (isAnswer(error)) tokens = Math.min(budgetTokens, tokens + budgetRatio);
  };
  const pauseMs = (attempts: number, asked = 0) =>
    Math.max(asked, timing.random() * Math.min(maxBackoffMs, initialBackoffMs * 2 ** (attempts - 1)));

  return {
    now: () => timing.now(),
    pause: (attempts, askedMs, signal) => sleepUnlessAborted(timing, pauseMs(attempts, askedMs), signal),
    hedgeAfterMs,
    takeHedge(calls) {
      if (spent()) return false;
      tokens = Math.max(0, tokens - calls);
      addSpanEvent(EVENT_HEDGE, { [ATTR_RETRY_DELAY_MS]: hedgeAfterMs });
      return true;
    },
    async run({ attempt, repeatable, timeoutMs, signal }) {
      const deadlineMs = timing.now() + timeoutMs;
      for (let attempts = 1, remainingMs = timeoutMs; ; attempts++) {
        try {
          const answer = await attempt(remainingMs);
          spend(undefined);
          return answer;
        } catch (error) {
          spend(error);
          if (!repeatable || !isUnavailable(error) || attempts >= maxAttempts) throw error;
          if (spent()) throw error;
          const waitMs = pauseMs(attempts, error.retryAfterMs);
          if (timing.now() + waitMs >= deadlineMs) throw error;
          addSpanEvent(EVENT_RETRY, {
            [ATTR_ATTEMPT]: attempts,
            [ATTR_RETRY_DELAY_MS]: Math.round(waitMs),
            [ATTR_REASON]: error.reason,
          });
          await sleepUnlessAborted(timing, waitMs, signal);
          remainingMs = deadlineMs - timing.now();
          if (remainingMs <= 0) throw error;
        }
      }
    },
  };
}

async function sleepUnlessAborted(
  timing: Timing,
  ms: number,
  signal: AbortSignal | undefined,
): Promise<void> {
  try {
    await timing.sleep(ms, signal);
  } catch (cause) {
    throw cancelledError(signal?.aborted ? signal.reason : cause);
  }
}

function isUnavailable(error: unknown): error is CallpassError {
  return error instanceof CallpassError && error.code === status.UNAVAILABLE;
}

function isOverloaded(error: unknown): boolean {
  return error instanceof CallpassError && error.reason === 'OVERLOADED';
}

function isAnswer(error: unknown): boolean {
  return error === undefined || (error instanceof CallpassError && error.reason !== undefined);
}

function checked(options: RetryOptions): Required<RetryOptions> {
  const complete = {
    maxAttempts: options.maxAttempts ?? 4,
    initialBackoffMs: options.initialBackoffMs ?? 100,
    maxBackoffMs: options.maxBackoffMs ?? 2_000,
    budgetTokens: options.budgetTokens ?? 100,
    budgetRatio: options.budgetRatio ?? 0.1,
    hedgeAfterMs: options.hedgeAfterMs ?? 300,
  };
  for (const [name, value] of Object.entries(complete)) {
    if (!(value > 0)) throw new RangeError(`retry.${name} must be above 0`);
  }
  return complete;
}

import { AsyncResource } from 'node:async_hooks';
import { startCoalescedSpan, withSharedCall, type CoalescedSpan } from '@callpass/telemetry';
import { RequestEncodingError } from '@callpass/grpc-kit/client';
import { status } from '@grpc/grpc-js';
import { CallpassError } from '../errors/callpass-error.ts';
import type { ClientInterceptor } from './interceptor.ts';
import { cancelledError, overdueError, unansweredError } from '../errors/of-the-client.ts';

/**
 * Bounds of coalescing. RPCs that are under way make requests wait; what waits shares the next RPC. So nothing waits where
 * there is nothing to share, and the batches grow with the load.
 *
 * @example
 * ```ts
 * const client = createCredentialClient({ address: '127.0.0.1:50051', coalesce: { maxBatch: 64 } });
 * ```
 */
export interface CoalesceOptions {
  /**
   * Most requests in one RPC: 1 to 256. Default: 128. An RPC never takes more than what fits its message, were all requests as large as
   * they may be.
   */
  readonly maxBatch?: number | undefined;
  /** RPCs of a kind under way with which further requests wait for one of them to end: 1 or more. Default: 2. */
  readonly maxInFlight?: number | undefined;
}

/** Limits of one attempt. */
export interface AttemptOptions {
  readonly timeoutMs: number;
  readonly signal?: AbortSignal | undefined;
  readonly metadata?: Readonly<Record<string, string>> | undefined;
  readonly interceptors?: readonly ClientInterceptor[] | undefined;
  /** Calls of the client that the attempt is made for. Default: 1. */
  readonly calls?: number | undefined;
}

/** Sends once. Rejects with a {@link CallpassError}. */
export type Attempt<Request, Answer> = (request: Request, options: AttemptOptions) => Promise<Answer>;

/** Outcome of one request of a batch. */
export type BatchOutcome<Answer> = { readonly answer: Answer } | { readonly error: Error };

/** RPC for one request, and RPC for several. */
export interface CoalescedRpcs<Request, Answer> {
  readonly single: Attempt<Request, Answer>;
  /** Gives the outcomes in the order of the requests. Rejects if the RPC as a whole has failed. */
  readonly batch: Attempt<readonly Request[], readonly BatchOutcome<Answer>[]>;
  /** Requests of which the largest possible fit the message of `batch`. */
  readonly largestBatch: number;
}

const DEFAULT_MAX_BATCH = 128;
const LARGEST_BATCH = 256;
const DEFAULT_MAX_IN_FLIGHT = 2;

/** An RPC that takes longer makes nobody wait any more: the instance that has it may hang, and others do not. */
const LONGEST_HOLD_MS = 25;

/** Time for which a service that does not know the RPC is not asked again: until it may have been upgraded. */
const UNKNOWN_FOR_MS = 60_000;

/** Request that waits for its outcome. It is settled once: by its RPC, its time limit or its signal. */
interface Waiting<Request, Answer> {
  readonly request: Request;
  /** End of its time, on the clock of `performance.now()`. */
  readonly deadlineMs: number;
  readonly signal: AbortSignal | undefined;
  readonly span: CoalescedSpan | undefined;
  /** The asynchronous context of the caller. */
  readonly context: AsyncResource;
  settled: boolean;
  /** Called when it is settled before its RPC has ended. */
  onGone: (() => void) | undefined;
  readonly settle: (outcome: BatchOutcome<Answer>) => void;
}

/**
 * Coalesces attempts: those that are made while {@link CoalesceOptions.maxInFlight} RPCs are under way, or in the same turn of the
 * event loop, share the next RPC. Each keeps its own time limit, signal, error and span. An attempt that fails fails as it
 * would have alone, so retries are decided for each request by itself.
 *
 * @throws {RangeError} if an option is out of its range.
 */
export function coalesceAttempts<Request, Answer>(
  { single, batch, largestBatch }: CoalescedRpcs<Request, Answer>,
  { maxBatch = DEFAULT_MAX_BATCH, maxInFlight = DEFAULT_MAX_IN_FLIGHT }: CoalesceOptions,
): Attempt<Request, Answer> {
  assertWhole('maxBatch', maxBatch, LARGEST_BATCH);
  assertWhole('maxInFlight', maxInFlight, Number.MAX_SAFE_INTEGER);
  const mostTogether = Math.min(maxBatch, largestBatch);
  let queue: Waiting<Request, Answer>[] = [];
  /** The service does not know the RPC until then, on the clock of `performance.now()`. */
  let unknownUntilMs = -Infinity;
  const isUnknown = () => performance.now() < unknownUntilMs;
  let inFlight = 0;
  let scheduled = false;

  const schedule = () => {
    if (scheduled || inFlight >= maxInFlight || queue.length === 0) return;
    scheduled = true;
    queueMicrotask(flush);
  };
  const flush = () => {
    scheduled = false;
    queue = queue.filter(({ settled }) => !settled);
    if (isUnknown()) for (const waiting of queue.splice(0)) void sendAlone(waiting);
    while (queue.length > 0 && inFlight < maxInFlight) hold(send(queue.splice(0, mostTogether)));
  };
  /** Counts an RPC as under way until it ends, or holds others back for too long. */
  const hold = (rpc: Promise<void>) => {
    inFlight++;
    let held = true;
    const release = () => {
      if (!held) return;
      held = false;
      clearTimeout(timer);
      inFlight--;
      schedule();
    };
    const timer = setTimeout(release, LONGEST_HOLD_MS);
    void rpc.then(release);
  };

  const send = async (taken: readonly Waiting<Request, Answer>[]): Promise<void> => {
    const [first] = taken;
    if (first !== undefined && taken.length === 1) await sendAlone(first);
    else await sendTogether(taken);
  };
  const sendAlone = async (waiting: Waiting<Request, Answer>): Promise<void> => {
    const { request, signal, context, settle } = waiting;
    try {
      const options = { timeoutMs: leftMs(waiting), signal };
      settle({ answer: await context.runInAsyncScope(single, undefined, request, options) });
    } catch (error) {
      settle({ error: error as Error });
    }
  };
  const sendTogether = async (taken: readonly Waiting<Request, Answer>[]): Promise<void> => {
    const timeoutMs = Math.max(...taken.map(leftMs));
    const requests = taken.map(({ request }) => request);
    const spans = taken.map(({ span }) => span);
    const signal = whenAllAreGone(taken);
    let outcomes: readonly BatchOutcome<Answer>[];
    try {
      outcomes = await withSharedCall(spans, () =>
        batch(requests, { timeoutMs, signal, calls: taken.length }),
      ).finally(() => {
        for (const waiting of taken) waiting.onGone = undefined;
      });
    } catch (error) {
      if (isUnknownRpc(error)) unknownUntilMs = performance.now() + UNKNOWN_FOR_MS;
      if (concernsTheBatch(error)) await Promise.all(taken.filter(isOpen).map(sendAlone));
      else for (const { settle } of taken) settle({ error: error as Error });
      return;
    }
    taken.forEach(({ settle }, at) => settle(outcomes[at] ?? { error: unansweredError() }));
  };

  return (request, { timeoutMs, signal }) => {
    if (isUnknown()) return single(request, { timeoutMs, signal });
    return new Promise((resolve, reject) => {
      const span = startCoalescedSpan();
      const timer = setTimeout(() => waiting.settle({ error: overdueError() }), timeoutMs);
      const abort = () => waiting.settle({ error: cancelledError(signal?.reason) });
      const waiting: Waiting<Request, Answer> = {
        request,
        deadlineMs: performance.now() + timeoutMs,
        signal,
        span,
        context: new AsyncResource('CoalescedRequest'),
        settled: false,
        onGone: undefined,
        settle(outcome) {
          if (waiting.settled) return;
          waiting.settled = true;
          clearTimeout(timer);
          signal?.removeEventListener('abort', abort);
          const error = 'error' in outcome ? outcome.error : undefined;
          span?.end(error);
          if ('answer' in outcome) resolve(outcome.answer);
          else reject(outcome.error);
          waiting.onGone?.();
        },
      };
      if (signal?.aborted) return abort();
      signal?.addEventListener('abort', abort, { once: true });
      queue.push(waiting);
      schedule();
    });
  };
}

function isOpen({ settled }: { readonly settled: boolean }): boolean {
  return !settled;
}

/** A time limit of 0 is none, so that of a request whose time is over is the shortest. */
function leftMs({ deadlineMs }: { readonly deadlineMs: number }): number {
  return Math.max(1, deadlineMs - performance.now());
}

/** Aborts when none of the requests waits any more: while one does, the RPC is wanted. */
function whenAllAreGone(taken: readonly { onGone: (() => void) | undefined }[]): AbortSignal {
  const controller = new AbortController();
  let present = taken.length;
  for (const waiting of taken) {
    waiting.onGone = () => {
      present--;
      if (present === 0) controller.abort();
    };
  }
  return controller.signal;
}

/**
 * Finds out if a batch failed and not its requests, before any of them was decided: one of them cannot be encoded, or the service does
 * not know the RPC, or the batch is too large for it.
 */
function concernsTheBatch(error: unknown): boolean {
  if (error instanceof RequestEncodingError) return true;
  if (!(error instanceof CallpassError)) return false;
  return isUnknownRpc(error) || error.reason === 'REQUEST_TOO_LARGE' || error.reason === 'REQUEST_INVALID';
}

function isUnknownRpc(error: unknown): boolean {
  return error instanceof CallpassError && error.code === status.UNIMPLEMENTED;
}

function assertWhole(name: string, value: number, max: number): void {
  if (!Number.isInteger(value) || value < 1 || value > max)
    throw new RangeError(`coalesce.${name} must be a whole number from 1 to ${max}`);
}
